"""Runs scenarios, such as placing and cancelling an order, while AWS calls fail.

Each case is one run of a scenario by a new customer. A case has the scenario's own faults, and at most one more fault.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from local.client import Answer
from shared import rows
from shared.domain import cursors
from shared.domain.orders import order_id_for
from shared.domain.times import timestamp, utc_now
from shared.domain.users import User
from tests.journeys.patience import WITHIN_S
from tests.journeys.people import PASSWORD, Person, lines, unique
from tests.proof.aws_faults.faulty_stack import FaultyStack
from tests.proof.aws_faults.plan import Armed, Call, Fault, Life

STOCK: Final = 10
ORDERED: Final = 2
_TRIES: Final = 3
_PAUSE_S: Final = 0.5
_numbers = itertools.count(1)
# With this lock, only one thread at a time creates a user and signs in. The emulator's Cognito fails if a user signs in
# while another user is being created.
_SIGN_UPS: Final = threading.Lock()


@dataclass(frozen=True)
class Scenario:
    """A sequence of requests of a customer or an admin, for example to place an order and cancel it afterwards."""

    name: str
    play: Callable[[Case], None]
    """Sends the customer's requests, and checks the responses."""
    ends: str = ""
    """The order's expected final status, or an empty string if the scenario places no order."""
    stock: int = STOCK
    faults: tuple[tuple[Call, Fault], ...] = ()
    """Faults that belong to the scenario itself and therefore occur in each of its cases."""
    synchronous: bool = False


@dataclass
class Case:
    """One run of a scenario, with its own customer, product and order, and the HTTP statuses of all responses."""

    faulty: FaultyStack
    scenario: Scenario
    admin: Person
    fault: tuple[Call, Fault] | None = None
    life: Life = field(default_factory=Life)
    product: str = field(default_factory=lambda: f"faulty-{next(_numbers):04}")
    key: str = field(default_factory=lambda: unique("key"))
    customer: Person = field(init=False)
    order_id: str = ""
    answers: list[int] = field(default_factory=list[int])
    """HTTP statuses of all responses, in the order of the requests."""
    open: list[tuple[str, Callable[[], Answer], tuple[int, ...]]] = field(init=False)
    """Requests that have only received 429 or 5xx so far: (name, function that sends the request, allowed statuses)."""

    def __post_init__(self) -> None:
        self.open = []
        self.life.armed = [Armed(*each) for each in (*self.scenario.faults, *([self.fault] if self.fault else []))]

    def __str__(self) -> str:
        return f"{self.scenario.name} {self.fault} order {self.order_id} product {self.product}"

    def prepare(self) -> None:
        """Create the customer. If the scenario places an order, also write the profile and the product into the tables.

        Then let the fault plan record all AWS calls whose requests contain the id of the customer, the product or the
        order.
        """
        faulty, made_at = self.faulty, timestamp(utc_now())
        aws, tables = faulty.stack.aws, faulty.stack.ops["tables"]
        with _SIGN_UPS:
            self.customer = self._customer()
            assert self.customer.id_token
        profile: User = {
            "user_id": self.customer.sub,
            "name": "Kazumi",
            "email": self.customer.email,
            "created_at": made_at,
        }
        if self.scenario.ends:
            aws("dynamodb", "put_item", TableName=tables["users"], Item=rows.user_row(profile, request_id="by-hand"))
            self.put_product(self.product, self.scenario.stock)
        self.order_id = order_id_for(self.customer.sub, self.key)
        faulty.plan.watch(self.life, (self.customer.sub, self.product, self.order_id))

    def put_product(self, product: str, quantity: int) -> None:
        """Write a product into the inventory table."""
        text = {"product_id": product, "name": "Tea", "currency": "JPY", "catalog_id": "products"}
        item = {k: {"S": v} for k, v in text.items()} | {"unit_price": {"N": "250"}, "quantity": {"N": str(quantity)}}
        table = self.faulty.stack.ops["tables"]["inventory"]
        self.faulty.stack.aws("dynamodb", "put_item", TableName=table, Item=item)

    def rest(self, method: str, path: str, body: Any = None, *, may: tuple[int, ...]) -> Answer:
        """Call the REST API as the customer, and retry after 429 or 5xx. Fail if another status is not in `may`."""
        headers = {"Idempotency_Key": self.key} if body and "items" in body else {}
        return self._ask(f"{method} {path}", lambda: self.customer.rest(method, path, body, **headers), may)

    def http(self, method: str, path: str, body: Any = None, *, may: tuple[int, ...]) -> Answer:
        """Call the HTTP API as the admin, and retry after 429 or 5xx. Fail if another status is not in `may`."""
        return self._ask(f"{method} {path}", lambda: self.admin.http(method, path, body), may)

    def _ask(self, name: str, call: Callable[[], Answer], may: tuple[int, ...]) -> Answer:
        # If the fault ends an execution, send the request only once. A retry of POST /process would start another
        # execution, but the platform must confirm or reject the order without the client's help.
        leaves = self.fault is not None and self.fault[1].kind in ("died", "timed out")
        answer = self._once(name, call, may)
        for _ in range(0 if leaves else _TRIES - 1):
            if not _is_ours(answer):
                return answer
            time.sleep(_PAUSE_S)
            answer = self._once(name, call, may)
        if _is_ours(answer):
            self.open.append((name, call, may))
        return answer

    def _once(self, name: str, call: Callable[[], Answer], may: tuple[int, ...]) -> Answer:
        answer = call()
        self.answers.append(answer.status)
        assert _is_ours(answer) or answer.status in may, f"{self}: {name}: {answer.status} {answer.text}"
        return answer

    def ask_again(self) -> None:
        """Repeat all requests that have only received 429 or 5xx so far."""
        pending, self.open = self.open, []
        for name, call, may in pending:
            self._ask(name, call, may)

    def until_decided(self) -> None:
        """Wait at most WITHIN_S seconds until the order is no longer PENDING."""

        def is_decided() -> bool:
            row = self.faulty.stack.row("orders", order_id=self.order_id)
            return row is not None and row["status"]["S"] != "PENDING"

        wait_until(is_decided)

    def until_met(self) -> None:
        """Wait at most WITHIN_S seconds until all faults of this case have occurred."""
        wait_until(lambda: all(armed.fired for armed in self.life.armed))

    def until_called(self, call: Call) -> None:
        """Wait at most WITHIN_S seconds until the platform has made the AWS call `call` for this order."""
        wait_until(lambda: call in self.life.calls)

    def _customer(self) -> Person:
        email, pool = f"{unique('faulty')}@example.com", self.faulty.stack.frontend["auth"]["userPoolId"]
        made = self.faulty.stack.aws(
            "cognito-idp",
            "admin_create_user",
            UserPoolId=pool,
            Username=email,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
        )
        names: dict[str, Any] = {"UserPoolId": pool, "Username": email}
        self.faulty.stack.aws("cognito-idp", "admin_set_user_password", **names, Password=PASSWORD, Permanent=True)
        sub = next(each["Value"] for each in made["User"]["Attributes"] if each["Name"] == "sub")
        return Person(self.admin.client, email, sub=sub)


def wait_until(look: Callable[[], bool]) -> None:
    """Call `look` until it returns true. Return silently after WITHIN_S seconds."""
    ends = time.monotonic() + WITHIN_S
    while not look() and time.monotonic() < ends:
        time.sleep(0.2)


def _is_ours(answer: Answer) -> bool:
    """Return whether the platform failed to process the request (5xx), or asked the client to retry later (429)."""
    return answer.status == 429 or answer.status >= 500


def _place(case: Case) -> None:
    answer = case.rest("POST", "/orders", lines({case.product: ORDERED}), may=(202,))
    if answer.status == 202:
        assert answer.json()["order_id"] == case.order_id


def _cancel(case: Case) -> None:
    """Cancel the order. The response is 409 if an earlier attempt cancelled the order but its response was lost."""
    case.rest("POST", f"/orders/{case.order_id}/cancel", may=(200, 409))


def _place_and_cancel(case: Case) -> None:
    _place(case)
    case.until_decided()
    _cancel(case)


_VALIDATES: Final = Call("express", "ValidateInput (lambda:invoke)")


def _place_and_cancel_at_once(case: Case) -> None:
    _place(case)
    case.until_called(_VALIDATES)
    _cancel(case)


def _process(case: Case) -> None:
    body, may = lines({case.product: ORDERED}), (200,) if case.scenario.ends == "CONFIRMED" else (404, 409)
    answer = case.rest("POST", "/process", body, may=may)
    if answer.status == 200:
        assert answer.json()["order_id"] == case.order_id


def _process_twice(case: Case) -> None:
    _process(case)
    _process(case)


def _introduce(case: Case) -> None:
    person = case.customer
    # The response is 409 if an earlier attempt created the profile but its response was lost.
    case.rest("POST", "/users", {"name": "Kazumi", "email": person.email}, may=(201, 409))
    case.rest("GET", f"/users/{person.sub}", may=(200, 404))


def _offer(case: Case) -> None:
    product = {"name": "Tea", "unit_price": 250, "currency": "JPY", "quantity": STOCK}
    case.http("PUT", f"/products/{case.product}", product, may=(200, 201))
    case.http("GET", f"/products/{case.product}", may=(200, 404))
    # A fault affects only AWS calls that contain an id of its case. Request the page of the catalog that starts after
    # this case's product, because the query for this page contains the product's id as its start key. The second
    # product makes sure that the page is not empty.
    case.put_product(f"{case.product}-behind", STOCK)
    case.http("GET", f"/products?limit=1&cursor={cursors.encode(case.product)}", may=(200, 400))


def _read(case: Case) -> None:
    case.rest("GET", "/orders", may=(200,))
    case.rest("GET", f"/orders/{case.order_id}", may=(404,))


_IS_DECIDED: Final = Call("standard", "DecideOrder (aws-sdk:sfn:startSyncExecution)")
_READS_STOCK: Final = Call("express", "CheckInventory (aws-sdk:dynamodb:batchGetItem)")
SCENARIOS: Final[Mapping[str, Scenario]] = {
    each.name: each
    for each in (
        Scenario("accepted and confirmed", _place, "CONFIRMED"),
        Scenario("accepted and rejected", _place, "REJECTED", stock=ORDERED - 1),
        Scenario("confirmed and cancelled", _place_and_cancel, "CANCELLED"),
        Scenario(
            "cancelled while it is processed",
            _place_and_cancel_at_once,
            "CANCELLED",
            faults=((_VALIDATES, Fault("delayed")),),
        ),
        Scenario("confirmed in a later run", _place, "CONFIRMED", faults=((_READS_STOCK, Fault("refused")),)),
        Scenario("abandoned", _place, "CONFIRMED", faults=((_IS_DECIDED, Fault("aborted")),)),
        Scenario("processed at once", _process, "CONFIRMED", synchronous=True),
        Scenario("rejected at once", _process, "REJECTED", stock=ORDERED - 1, synchronous=True),
        Scenario("processed twice", _process_twice, "CONFIRMED", synchronous=True),
        Scenario("profile", _introduce),
        Scenario("catalog", _offer),
        Scenario("orders read", _read),
    )
}
