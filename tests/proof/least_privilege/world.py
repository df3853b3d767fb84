"""A deployed stack as the scenarios of least privilege use it: what IAM decided, and what shows that it refused."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from local import emulator
from local.aws import CallError
from local.client import Answer, Client, client_of
from tests.journeys.patience import WITHIN_S
from tests.journeys.people import People, Person, lines
from tests.journeys.stack import DECISIONS, Stack
from tests.proof.least_privilege.grants import plain

_FAULT: Final = 500
_PAUSE_S: Final = 0.03
_REFUSED: Final = re.compile(r"not authorized|AccessDenied|AuthorizationError|no permission", re.IGNORECASE)
# The emulator logs these messages where AWS counts a metric: DestinationDeliveryFailures, DeadLetterErrors or
# FailedInvocations.
_UNSENT: Final = re.compile(r"execution role does not allow|does not allow \S+ to (send|invoke)")


class Refused(Exception):
    """Something was answered that says that it could not be done."""


@dataclass(frozen=True)
class Decision:
    """What IAM said to one request; names as in privilege_grants.Grant."""

    who: str
    action: str
    resource: str
    allowed: bool
    context: Mapping[str, str]


@dataclass
class World:
    """The stack, the people who use it, and what they left."""

    stack: Stack
    people: People
    admin: Person
    customer: Person
    notifications: Callable[[str], list[Any]]
    successes: Callable[[str], list[Any]]
    orders: list[str] = field(default_factory=list[str])
    """Ids of the orders that scenarios made."""
    on_purpose: bool = False
    """Whether a scenario has taken a permission away by itself."""

    def __post_init__(self) -> None:
        # The client that validates responses is not usable here. If a function may not be invoked, the gateways respond
        # in a form that the contract does not contain.
        self._client: Client = client_of(self.stack.outputs)
        self._decisions: Path = self.stack.instance.home / DECISIONS

    def rest(self, method: str, path: str, body: Any = None, *, key: str = "", by: Person | None = None) -> Answer:
        """Call the REST API as the customer or another person. Raises Refused for what is a fault of ours."""
        headers = {"Idempotency-Key": key} if key else {}
        return _answered(self._client.rest(method, path, (by or self.customer).id_token, body, headers))

    def http(self, method: str, path: str, body: Any = None) -> Answer:
        """Call the HTTP API as the admin. Raises Refused for what is a fault of ours."""
        return _answered(self._client.http(method, path, self.admin.access_token, body))

    def order(self, items: Mapping[str, int]) -> str:
        """Place an order, and return its id."""
        return self.known(self.rest("POST", "/orders", lines(items)).json()["order_id"])

    def process(self, items: Mapping[str, int], key: str = "") -> Answer:
        """Place an order that is decided at once."""
        answer = self.rest("POST", "/process", lines(items), key=key)
        if answer.status == 200:
            self.known(answer.json()["order_id"])
        return answer

    def confirmed(self) -> str:
        """Return the id of a new confirmed order."""
        return self.process({self.admin.put(5): 2}).json()["order_id"]

    def ended(self, order_id: str, status: str, *, events: int) -> bool:
        """Whether the order came to `status`, with a mail and an analytics record for each of its events."""
        return (
            self.status(order_id) == status
            and len(self.stack.analytics(order_id)) == events
            and len(
                [1 for told in self.successes(order_id) if told["requestContext"]["functionArn"].count("send-email")]
            )
            == events
        )

    def failed(self, function: str, about: str) -> bool:
        """Whether an event was given up: in the failure queue and in the dead-letter queue."""
        return all(self.stack.failed(f"{function}-{queue}", about) for queue in ("failures", "dlq"))

    @contextmanager
    def lacking(self, broken: AbstractContextManager[None]) -> Generator[None]:
        """Let a scenario take a permission of its own away: what is refused meanwhile is meant."""
        self.on_purpose = True
        try:
            with broken:
                yield
        finally:
            self.on_purpose = False

    def known(self, order_id: str) -> str:
        """Take down an order, for `tidy`."""
        self.orders.append(order_id)
        return order_id

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call AWS as who deploys. Raises Refused if a role lacks what the call takes."""
        try:
            return self.stack.aws(service, operation, **parameters)
        except CallError as error:
            raise Refused(str(error)) from error

    def status(self, order_id: str) -> str:
        """Return the order's status; `` without its row."""
        row = self.stack.row("orders", order_id=order_id)
        return row["status"]["S"] if row else ""

    def mark(self) -> int:
        """Return a place in what IAM decided."""
        return self._decisions.stat().st_size if self._decisions.exists() else 0

    def decisions(self, since: int) -> list[Decision]:
        """Return what IAM decided from a place on."""
        with self._decisions.open("rb") as file:
            file.seek(since)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1].decode()
        return [self._decision(json.loads(line)) for line in whole.splitlines()]

    def quiet(self) -> None:
        """Wait until the stack is at rest: all that was begun is done."""
        until(self.is_at_rest, "the stack comes to rest")

    def is_at_rest(self) -> bool:
        """Whether nothing is left to be done."""
        return emulator.is_at_rest(self.stack.instance)

    def signs(self, since_ms: int, log_from: int) -> list[str]:
        """Return what operators see of a refusal: lines of logs, messages in failure queues about known orders."""
        with self.stack.instance.log.open("rb") as log:
            log.seek(log_from)
            said = log.read().decode(errors="replace")
        found = [line for line in said.splitlines() if _UNSENT.search(line)]
        for group in self.stack.ops["logGroups"].values():
            page = self.stack.aws("logs", "filter_log_events", logGroupName=group, startTime=since_ms)
            found += [event["message"] for event in page["events"] if _REFUSED.search(event["message"])]
        return found or [each["Body"] for each in self.left() if _REFUSED.search(each["Body"])]

    def left(self) -> list[dict[str, Any]]:
        """Return what lies in the failure queues about known orders, or any order of the customer."""
        queues = [queue["url"] for queue in self.stack.ops["failureQueues"].values()]
        return [
            {**each, "QueueUrl": url}
            for url in queues
            for each in self.stack.queued(url)
            if self._is_ours(each["Body"])
        ]

    def tidy(self) -> None:
        """Leave nothing behind: no order undecided, no message in a failure queue."""
        self.quiet()
        for order in self._undecided():
            assert self.rest("POST", f"/orders/{order['order_id']['S']}/cancel").status == 200
        self.quiet()
        for url in {each["QueueUrl"] for each in self.left()}:
            self._take_out(url)
        assert not self.left()

    def _undecided(self) -> list[dict[str, Any]]:
        rows = self.stack.aws(
            "dynamodb",
            "query",
            TableName=self.stack.ops["tables"]["orders"],
            IndexName="by-user",
            KeyConditionExpression="user_id = :user",
            ExpressionAttributeValues={":user": {"S": self.customer.sub}},
        )
        assert "LastEvaluatedKey" not in rows
        return [row for row in rows["Items"] if row["status"]["S"] == "PENDING"]

    def _is_ours(self, body: str) -> bool:
        return any(mark in body for mark in (self.customer.sub, *self.orders))

    def _take_out(self, url: str) -> None:
        """Delete the messages about known orders from a queue."""
        asked = {"QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 5}
        while messages := self.stack.aws("sqs", "receive_message", **asked).get("Messages", []):
            for message in messages:
                named = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
                if self._is_ours(message["Body"]):
                    self.stack.aws("sqs", "delete_message", **named)
                else:
                    self.stack.aws("sqs", "change_message_visibility", **named, VisibilityTimeout=5)

    def _decision(self, line: Mapping[str, Any]) -> Decision:
        context = {str(key): self.cut(str(value)) for key, value in line["context"].items()}
        who, resource = self.cut(line["who"]), self.cut(line["resource"])
        return Decision(who, line["action"], resource, line["allowed"], context)

    def cut(self, text: str) -> str:
        """Return a name as privilege_grants.Grant has it."""
        return plain(text, self.stack.frontend["stage"], self.stack.aws.account)


def until(look: Callable[[], object], what: str) -> None:
    """Wait until `look` finds something. Fails if it does not."""
    ends = time.monotonic() + WITHIN_S
    while not look():
        assert time.monotonic() < ends, f"not within {WITHIN_S:.0f} s: {what}"
        time.sleep(_PAUSE_S)


def _answered(answer: Answer) -> Answer:
    if answer.status >= _FAULT:
        raise Refused(f"{answer.status} {answer.text[:200]}")
    return answer
