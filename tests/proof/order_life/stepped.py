"""The platform in pytest's process: the real functions, the real workflow, and a simulated stream, bus and queues.

    APIs -> tables -> stream -> publish_order_events -> bus -> process_order -> workflow
                                                            -> send_email
                                                            -> analytics queue -> record_analytics

Every event, record and message waits until the test delivers it. Each activity (see activities.py) stops before each
AWS call. After each call, the platform reports the changes to the model.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from components.apis.routes import WORKFLOW, function_of
from shared import rows
from shared.domain.times import parse_timestamp
from shared.domain.users import User as Profile
from tests.fakes.cloud import FakeCloud
from tests.fakes.runtime import LoadedFunction
from tests.proof.order_life.activities import Activity, CallOutcome, current
from tests.proof.order_life.answers import Answers, Call, Request
from tests.proof.order_life.functions import (
    STANDARD_LIMIT_S,
    Clock,
    Functions,
    Gate,
    functions_in_process,
    invocation,
)
from tests.proof.order_life.gateway import event_of, reply_of
from tests.proof.order_life.history import History, Json, Mail, User
from tests.proof.order_life.queues import Delivery, Queues
from tests.proof.order_life.workflow import EXPRESS_LIMIT_S, STANDARD, Ended, Interpreter, interpreter

_MOST_ROUNDS: Final = 50
"""The maximum number of rounds of `settle`, more than any run needs."""


@dataclass(frozen=True)
class Change:
    """The changes that one AWS call made."""

    by: Activity
    orders: list[Json]
    """Records of the orders table's stream."""
    products: list[Json]


class SteppedPlatform:
    """One platform with its own data. All platforms share the loaded functions and the interpreter."""

    def __init__(self, functions: Functions, interpreter: Interpreter, users: Mapping[str, User]) -> None:
        self.functions, self.interpreter = functions, interpreter
        self.clock = functions.clock
        self.fakes = FakeCloud()
        self.queues = Queues(self)
        self.history = History(users)
        self.answers = Answers(self.history)
        self.activities: list[Activity] = []
        """All activities that stop before an AWS call."""
        self.excused: Counter[str] = Counter()
        """Number of additional emails that faults can have caused, by event id."""
        self.last_error: BaseException | None = None
        self.steps = 0
        self.compared = 0
        """Number of comparisons of the tables with the model."""
        self.faults: Counter[str] = Counter()
        self._disturbed: set[str] = set()
        """Names of executions that were affected by faults."""
        self._undecided: set[str] = set()
        """Ids of orders whose STANDARD execution ended without a decision."""
        self._changes: list[Change] = []
        self._requests = 0
        for user in users.values():
            if user.email:
                self._introduce(user)

    # The activities call the following methods to carry out their AWS calls.

    def carry_out(self, service: str, operation: str, arguments: Mapping[str, Any], part: bool) -> Any:
        """Make an AWS call for the running activity. With `part`, some items of the call are not processed."""
        self.clock.tick(0.003)
        activity = current()
        assert activity
        tables = self.fakes.dynamodb.tables
        marks = len(tables["orders"].stream), len(tables["inventory"].stream)
        if part and operation == "put_events":
            self.fakes.events.refusals.append({0})
        if part and operation == "batch_get_item":
            self.fakes.dynamodb.unprocessed.append(1)
        try:
            if service == "sns":
                return {"MessageId": "1"}
            return getattr(getattr(self.fakes, service), operation)(**arguments)
        finally:
            orders, products = tables["orders"].stream[marks[0] :], tables["inventory"].stream[marks[1] :]
            if orders or products:
                self._changes.append(Change(activity, orders, products))

    def invoke_for(self, execution: Activity, name: str, payload: Any, *, at_once: bool) -> Activity:
        """Invoke the function `name` for `execution`, wait until the invocation ends, and return the invocation."""
        activity = self.invocation(name, payload)
        activity.parent = execution
        if at_once or execution.is_unhindered:
            activity.run_here()
            self._ended(activity)
        else:
            self.activities.append(activity)
            execution.wait_for(activity)
        return activity

    def invocation(self, name: str, event: Any) -> Activity:
        self._requests += 1
        return invocation(self.functions, name, event, f"lambda-request-{self._requests}")

    # The test calls the following methods.

    def send(self, request: Request, *, at_once: bool) -> Call:
        """Send a request to its API. Process it to the end if `at_once`, otherwise up to its first AWS call."""
        self.clock.tick(0.005)
        call = self.answers.sent(request)
        by = function_of(request.operation)
        activity = self._express(request) if by == WORKFLOW else self.invocation(by, event_of(request))
        activity.about = call
        activity.at_end.append(lambda ended: self._answer(call, ended))
        self.begin(activity, at_once=at_once)
        return call

    def _express(self, request: Request) -> Activity:
        key = {} if request.key is None else {"idempotency_key": request.key}
        given = {"request": {"user_id": request.user.user_id, **key, "content": request.body}}
        self._requests += 1
        name = f"express-{self._requests}"
        return Activity(
            name, lambda: self.interpreter.execution(name, given), ends_by_s=self.clock.now_s + EXPRESS_LIMIT_S
        )

    def begin(self, activity: Activity, *, at_once: bool) -> None:
        """Run an activity to its end if `at_once`, otherwise up to its first AWS call."""
        if at_once:
            activity.run_here()
            self._after(activity)
        else:
            self.activities.append(activity)
            self._resume(activity, CallOutcome.FINE)

    def step(self, activity: Activity, outcome: CallOutcome) -> None:
        """Apply `outcome` to the call before which the activity has stopped, and run the activity to its next call."""
        self.steps += 1
        if outcome is not CallOutcome.FINE:
            self._note_fault(activity, activity.call.rpartition(":")[2], outcome)
        self._resume(activity, outcome)

    def _excuse(self, activity: Activity, call: str, outcome: CallOutcome) -> None:
        """Allow one more email about the event if the invocation sends the email but might not record it as sent."""
        is_sending = call == "send_email" and outcome not in (
            CallOutcome.REFUSED,
            CallOutcome.DIES_BEFORE,
            CallOutcome.PARTLY,
        )
        if activity.name == "send_email" and (is_sending or "send_email" in activity.done):
            self.excused[activity.about.event["detail"]["event_id"]] += 1

    def finish(self, activity: Activity) -> None:
        """Run an activity, and the invocations that it waits for, to the end."""
        while not activity.ended:
            self._resume(self.runs_for(activity), CallOutcome.FINE, to_the_end=True)

    def runs_for(self, activity: Activity) -> Activity:
        """Return the invocation for which `activity` waits, or `activity` itself if it doesn't wait."""
        waited = [each for each in self.activities if each.parent is activity]
        return waited[-1] if activity.is_waiting else activity

    def _resume(self, activity: Activity, outcome: CallOutcome, *, to_the_end: bool = False) -> None:
        activity.go_on(outcome, to_the_end=to_the_end)
        self._after(activity)
        for started in [each for each in self.activities if not each.is_started]:
            self._resume(started, CallOutcome.FINE)

    def _after(self, activity: Activity) -> None:
        """Report the activity's changes to the model, and process the events and executions that it caused."""
        self._tell()
        if activity.ended:
            if activity in self.activities:
                self.activities.remove(activity)
            self._ended(activity)
            parent = activity.parent
            if parent and parent.is_waiting and not parent.ended:
                self._resume(parent, CallOutcome.FINE, to_the_end=parent.is_unhindered)
        self._collect()

    def _ended(self, activity: Activity) -> None:
        self.last_error = activity.error or self.last_error
        for hook in activity.at_end:
            hook(activity)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and kill all activities that exceed their time limit."""
        self.clock.tick(seconds)
        self.kill_late()

    def kill_late(self) -> None:
        """Kill all activities that exceed their time limit."""
        for activity in [each for each in self.activities if each.ends_by_s < self.clock.now_s]:
            self.crash(activity)

    def crash(self, activity: Activity) -> None:
        """Kill an activity before its current call. If it waits for an invocation, the invocation continues."""
        if not activity.ended:
            self._note_fault(activity, "", CallOutcome.DIES_BEFORE)
            activity.kill()
            self._after(activity)

    def repeat_event(self, number: int) -> None:
        """Deliver an event of the bus again."""
        self.queues.route(self.queues.bus[number % len(self.queues.bus)])

    def _note_fault(self, activity: Activity, call: str, outcome: CallOutcome) -> None:
        self.faults[outcome.name] += 1
        self._excuse(activity, call, outcome)
        activity.faults += 1
        if activity.parent:
            activity.parent.faults += 1

    def _tell(self) -> None:
        for change in self._changes:
            for record in change.products:
                row, old = record["dynamodb"]["NewImage"], record["dynamodb"].get("OldImage", {})
                if row["request_id"] != old.get("request_id"):
                    self.history.product_put(_product(row))
            for record in change.orders:
                images = record["dynamodb"]
                tracked = self.history.order_changed(
                    images.get("OldImage"), images.get("NewImage"), may_fail=self._may_fail(change.by, images)
                )
                if "OldImage" not in images:
                    self.answers.created(tracked)
            rows = self.fakes.dynamodb.tables["inventory"].items
            if change is self._changes[-1]:
                self.history.stock_is({name: int(row["quantity"]["N"]) for name, row in rows.items()})
            self.queues.unpublished += change.orders
        self._changes.clear()

    def _may_fail(self, activity: Activity, images: Json) -> bool:
        """Return whether the activity is allowed to set the order to FAILED.

        Only `fail_order` is allowed to do so, after the time limit of the order's execution, and only if a fault
        affected the execution.
        """
        if activity.name != "fail_order" or activity.about.event["detail"]["name"] not in self._disturbed:
            return False
        created_at = parse_timestamp(images["NewImage"]["created_at"]["S"])
        return self.clock.now() - created_at >= timedelta(seconds=STANDARD_LIMIT_S)

    def _collect(self) -> None:
        """Put new events on the bus and failed messages into their failure queue, and start new executions."""
        for entry in self.fakes.events.entries[len(self.queues.bus) :]:
            event = {
                "source": entry["Source"],
                "detail-type": entry["DetailType"],
                "detail": json.loads(entry["Detail"]),
            }
            self.queues.put(event)
            self.history.event(event["detail-type"], event["detail"])
        for sent in self.fakes.sqs.sent:
            self.queues.set_aside(sent["MessageBody"], sent["MessageDeduplicationId"])
        self.fakes.sqs.sent.clear()
        started = self.fakes.stepfunctions.executions
        for name in [name for name, execution in started.items() if "begun" not in execution]:
            started[name]["begun"] = True
            self._standard(name, json.loads(started[name]["input"]))

    def _standard(self, name: str, given: Json) -> None:
        ends_by_s = self.clock.now_s + STANDARD_LIMIT_S
        activity = Activity(
            f"execution {name}",
            lambda: self.interpreter.execution(name, given, machine=STANDARD),
            ends_by_s=ends_by_s,
        )
        activity.about = name
        activity.at_end.append(self._execution_ended)
        self.begin(activity, at_once=False)

    def _execution_ended(self, activity: Activity) -> None:
        ended: Ended | None = activity.value
        if ended and ended.status == "SUCCEEDED":
            return
        if activity.faults:
            self._disturbed.add(activity.about)
        self._undecided.add(activity.about)
        status = ended.status if ended else "ABORTED"
        detail = {"name": activity.about, "status": status, "error": ended.error if ended else None}
        self.queues.deliveries.append(Delivery("fail_order", {"detail": detail}))

    def _answer(self, call: Call, activity: Activity) -> None:
        call.disturbed = activity.faults > 0
        self.answers.check(call, reply_of(call.request, activity))

    def compare(self) -> None:
        """Compare the orders and the stock in the tables with the model."""
        self.compared += 1
        tables = self.fakes.dynamodb.tables
        self.history.stock_is({name: int(row["quantity"]["N"]) for name, row in tables["inventory"].items.items()})
        self.history.orders_are(tables["orders"].items)

    def settle(self) -> None:
        """Run everything to its end without further faults, and compare the final state with the model."""
        queues = self.queues
        for rounds in itertools.count():
            if not self.activities and queues.is_empty and not self._start_again():
                break
            assert rounds < _MOST_ROUNDS, (
                f"work is left after {_MOST_ROUNDS} rounds; the last error was {self.last_error!r}"
            )
            self.kill_late()
            for activity in list(self.activities):
                if not activity.is_waiting:
                    self.finish(activity)
            queues.relay(50, at_once=True)
            for delivery in sorted(queues.deliveries, key=lambda each: each.due_s):
                queues.deliver(delivery, at_once=True)
            queues.consume(10, at_once=True)
            queues.redrive()
        self.history.all_told(self.mails(), self.objects(), self.excused)

    def _start_again(self) -> bool:
        """Restart the workflow of each order whose execution ended without a decision, as the sweep does.

        Return whether there was such an order.
        """
        late = [order_id for order_id in self.history.pending() if order_id in self._undecided]
        for order_id in late:
            self._standard(order_id, {"order": self.history.tracked_orders[order_id].now})
        return bool(late)

    def close(self) -> None:
        """End all threads."""
        for activity in list(self.activities):
            activity.kill()

    def mails(self) -> list[Mail]:
        """Return all emails that SES accepted."""
        sent = [(each["Destination"]["ToAddresses"], each["Content"]["Simple"]) for each in self.fakes.sesv2.sent]
        return [Mail(address, simple["Subject"]["Data"], simple["Body"]["Text"]["Data"]) for (address,), simple in sent]

    def objects(self) -> dict[str, Json]:
        """Return the analytics objects by key."""
        return {key: json.loads(body) for (_, key), body in self.fakes.s3.objects.items()}

    def _introduce(self, user: User) -> None:
        profile: Profile = {
            "user_id": user.user_id,
            "name": user.name,
            "email": user.email,
            "created_at": "2026-01-01T00:00:00.000Z",
        }
        self.fakes.dynamodb.put("users", rows.user_row(profile, request_id="by-hand"))


@contextmanager
def stepped_platforms(
    mutate: Callable[[LoadedFunction], None] = lambda _: None,
) -> Generator[Callable[[Mapping[str, User]], SteppedPlatform]]:
    """Load the workflow and the functions, apply `mutate` to each function, and yield a factory of platforms."""
    clock, made = Clock(), list[SteppedPlatform]()
    services = ("dynamodb", "events", "stepfunctions", "sesv2", "s3", "sqs")

    def carry_out(service: str, operation: str, arguments: Mapping[str, Any], part: bool) -> Any:
        return made[-1].carry_out(service, operation, arguments, part)

    def invoke_for(execution: Activity, name: str, payload: Any, *, at_once: bool) -> Activity:
        return made[-1].invoke_for(execution, name, payload, at_once=at_once)

    shared = Interpreter(carry_out, invoke_for)
    clients = {service: Gate(service, carry_out) for service in services}

    def make(users: Mapping[str, User]) -> SteppedPlatform:
        made[:] = [SteppedPlatform(functions, shared, users)]
        return made[-1]

    with functions_in_process(clock, clients, mutate) as functions, interpreter(clock, shared):
        yield make


def _product(row: Json) -> Json:
    return {
        "product_id": row["product_id"]["S"],
        "name": row["name"]["S"],
        "unit_price": int(row["unit_price"]["N"]),
        "currency": row["currency"]["S"],
        "quantity": int(row["quantity"]["N"]),
    }
