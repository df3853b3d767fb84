"""The deployed stack that the scenarios use, with IAM's decisions and the signs that IAM denied a request."""

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
from tests.proof.aws_faults.checks import SUBJECTS
from tests.proof.least_privilege.grants import plain

_FAULT: Final = 500
_PAUSE_S: Final = 0.03
_REFUSED: Final = re.compile(r"not authorized|AccessDenied|AuthorizationError|no permission", re.IGNORECASE)
# If IAM denies the delivery of an event, the emulator logs one of these messages. AWS does not log the failure, but
# counts it in the metric DestinationDeliveryFailures, DeadLetterErrors or FailedInvocations.
_UNSENT: Final = re.compile(r"execution role does not allow|does not allow .+ to (send|invoke)")


class Refused(Exception):
    """A request failed because of a missing permission or another error of the platform."""


@dataclass(frozen=True)
class Decision:
    """IAM's decision about one request.

    All names are stored without project, stack, account and generated ids, as in grants.Grant, so that the test can
    compare a decision with the granted permissions.
    """

    who: str
    action: str
    resource: str
    allowed: bool
    context: Mapping[str, str]


@dataclass
class AuditedStack:
    """The stack, its users, and the orders that the scenarios placed."""

    stack: Stack
    people: People
    admin: Person
    customer: Person
    notifications: Callable[[str], list[Any]]
    successes: Callable[[str], list[Any]]
    orders: list[str] = field(default_factory=list[str])
    """Ids of all orders that the scenarios placed."""
    on_purpose: bool = False
    """Whether the running scenario itself has removed a permission, so that denials are expected."""

    def __post_init__(self) -> None:
        # This client does not validate responses against the contract. If API Gateway lacks the permission to invoke a
        # function, it returns a response that is not in the contract.
        self._client: Client = client_of(self.stack.outputs)
        self._decisions: Path = self.stack.instance.home / DECISIONS

    def rest(self, method: str, path: str, body: Any = None, *, key: str = "", by: Person | None = None) -> Answer:
        """Call the REST API as `by`, or as the customer if `by` is None. Raises Refused if the status is 5xx."""
        headers = {"Idempotency-Key": key} if key else {}
        return _answered(self._client.rest(method, path, (by or self.customer).id_token, body, headers))

    def http(self, method: str, path: str, body: Any = None) -> Answer:
        """Call the HTTP API as the admin. Raises Refused if the status is 5xx."""
        return _answered(self._client.http(method, path, self.admin.access_token, body))

    def order(self, items: Mapping[str, int]) -> str:
        """Place an order with POST /orders, and return its id."""
        return self.known(self.rest("POST", "/orders", lines(items)).json()["order_id"])

    def process(self, items: Mapping[str, int], key: str = "") -> Answer:
        """Place an order with POST /process, and return the response."""
        answer = self.rest("POST", "/process", lines(items), key=key)
        if answer.status == 200:
            self.known(answer.json()["order_id"])
        return answer

    def confirmed(self) -> str:
        """Place an order with POST /process, and return its id."""
        return self.process({self.admin.put(5): 2}).json()["order_id"]

    def ended(self, order_id: str, status: str, *, events: int) -> bool:
        """Return whether the order has `status`, an email about this status, and `events` analytics records."""
        return (
            self.status(order_id) == status
            and len(self.stack.analytics(order_id)) == events
            and any(
                mail["Subject"] == SUBJECTS[status] and order_id in mail["BodyText"]
                for mail in self.stack.mails(self.customer.email)
            )
        )

    def failed(self, function: str, about: str) -> bool:
        """Return whether every queue for failed events of `function` contains a message with the text `about`."""
        queues = self.stack.ops["failureQueues"]
        names = [f"{function}-{queue}" for queue in ("failures", "dlq") if f"{function}-{queue}" in queues]
        return bool(names) and all(self.stack.failed(name, about) for name in names)

    @contextmanager
    def lacking(self, broken: AbstractContextManager[None]) -> Generator[None]:
        """Enter the context `broken`, which removes a permission. Denials are expected until the context ends."""
        self.on_purpose = True
        try:
            with broken:
                yield
        finally:
            self.on_purpose = False

    def known(self, order_id: str) -> str:
        """Record an order's id, so that `tidy` can clean up the order."""
        self.orders.append(order_id)
        return order_id

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call AWS as the person who deploys the stack. Raises Refused if AWS rejects the call."""
        try:
            return self.stack.aws(service, operation, **parameters)
        except CallError as error:
            raise Refused(str(error)) from error

    def status(self, order_id: str) -> str:
        """Return the order's status, or an empty string if the order has no row."""
        row = self.stack.row("orders", order_id=order_id)
        return row["status"]["S"] if row else ""

    def mark(self) -> int:
        """Return the current position in the log of IAM's decisions."""
        return self._decisions.stat().st_size if self._decisions.exists() else 0

    def decisions(self, since: int) -> list[Decision]:
        """Return all decisions of IAM after the position `since` in the log of decisions."""
        with self._decisions.open("rb") as file:
            file.seek(since)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1].decode()
        return [self._decision(json.loads(line)) for line in whole.splitlines()]

    def quiet(self) -> None:
        """Wait until the stack has finished all work."""
        until(self.is_at_rest, "the stack has finished all work")

    def is_at_rest(self) -> bool:
        """Return whether the stack has finished all work."""
        return emulator.is_at_rest(self.stack.instance)

    def signs(self, since_ms: int, log_from: int) -> list[str]:
        """Return the texts that show a denial to operators: log lines or, if there are none, failed messages.

        The search starts at `since_ms` (Unix time in milliseconds) in the CloudWatch logs, and at the byte `log_from`
        in the emulator's log.
        """
        with self.stack.instance.log.open("rb") as log:
            log.seek(log_from)
            said = log.read().decode(errors="replace")
        found = [line for line in said.splitlines() if _UNSENT.search(line)]
        for group in self.stack.ops["logGroups"].values():
            page = self.stack.aws("logs", "filter_log_events", logGroupName=group, startTime=since_ms)
            found += [event["message"] for event in page["events"] if _REFUSED.search(event["message"])]
        return found or [each["Body"] for each in self.left() if _REFUSED.search(each["Body"])]

    def left(self) -> list[dict[str, Any]]:
        """Return the messages in failure queues that are about this object's orders or customer."""
        queues = [queue["url"] for queue in self.stack.ops["failureQueues"].values()]
        return [
            {**each, "QueueUrl": url}
            for url in queues
            for each in self.stack.queued(url)
            if self._is_ours(each["Body"])
        ]

    def tidy(self) -> None:
        """Cancel the customer's PENDING orders, and delete the failed messages about the customer or the orders."""
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
        """Delete the messages about this object's orders or customer from a queue."""
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
        """Return `text`, such as an ARN, without this stack's name, its account and generated ids."""
        return plain(text, self.stack.frontend["stage"], self.stack.aws.account)


def until(look: Callable[[], object], what: str) -> None:
    """Wait until `look` returns a true value. Fail after WITHIN_S seconds."""
    ends = time.monotonic() + WITHIN_S
    while not look():
        assert time.monotonic() < ends, f"not within {WITHIN_S:.0f} s: {what}"
        time.sleep(_PAUSE_S)


def _answered(answer: Answer) -> Answer:
    if answer.status >= _FAULT:
        raise Refused(f"{answer.status} {answer.text[:200]}")
    return answer
