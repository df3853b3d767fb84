"""Consumers process each generated event or reject it with an error code, and lose no other event of the batch.

`test_attack_detects_broken_consumers` shows that the attack fails in each of these cases: a consumer reads events
without validation (KeyError), a damaged record stops the relay, or an invalid message causes an error instead of going
to the failure queue.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any, Final
from unittest import mock

import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError
from botocore.exceptions import ParamValidationError
from hypothesis import strategies as st

from shared import errors, events, rows
from shared.errors import OrdersError
from tests.fakes.messages import batch
from tests.proof.generated_requests import events as generated_events
from tests.proof.generated_requests.expected import fill
from tests.proof.generated_requests.in_process import InProcessFunctions, in_process_functions
from tests.proof.generated_requests.values import each, fields
from tests.proof.plugin import Dose, Proof

pytestmark = pytest.mark.attack("generated-requests")
Judge = Callable[[InProcessFunctions, Any, Any], None]
_STOCK: Final = 10**6


def _of_the_bus(functions: InProcessFunctions, event: Any, outcome: Any) -> None:
    handled = generated_events.is_event(event["detail-type"], event["detail"])
    assert isinstance(outcome, errors.ValidationError) == (not handled), outcome
    if not handled:
        assert (functions.sesv2.sent, functions.stepfunctions.executions) == ([], {})


def _of_the_mail_queue(functions: InProcessFunctions, event: Any, outcome: Any) -> None:
    """Each invalid event goes to the failure queue with its error code, and causes no email."""
    handled = generated_events.is_event(event["detail-type"], event["detail"])
    reasons = [message["MessageAttributes"]["ERROR_CODE"]["StringValue"] for message in functions.sqs.sent]
    assert reasons == ([] if handled else ["ValidationError"])
    assert handled or functions.sesv2.sent == []
    assert outcome == {"batchItemFailures": []}


def _of_new_orders(functions: InProcessFunctions, event: Any, outcome: Any) -> None:
    if event["detail-type"] == "OrderCreated":
        _of_the_bus(functions, event, outcome)
    else:
        assert isinstance(outcome, errors.ValidationError)


def _of_the_stream(functions: InProcessFunctions, event: Any, outcome: Any) -> None:
    """All valid changes are published in order. The relay sends each invalid record to the failure queue."""
    good: list[str] = []
    poison: list[str] = []
    for record in event["Records"]:
        stream = record["dynamodb"]
        try:
            change = _change(stream)
        except Exception:  # noqa: BLE001 - an invalid row can raise any exception
            poison.append(stream["SequenceNumber"])
            continue
        good += [change] if change else []
    published = [f"{entry['DetailType']} {entry['Detail']}" for entry in functions.events.entries]
    assert published == good
    aside = [json.loads(message["MessageBody"])["Records"] for message in functions.sqs.sent]
    assert [record["dynamodb"]["SequenceNumber"] for (record,) in aside] == poison
    assert outcome == {"batchItemFailures": []}


def _change(stream: dict[str, Any]) -> str | None:
    old, new = stream.get("OldImage"), stream.get("NewImage")
    if new is None or (old is not None and old["status"] == new["status"]):
        return None
    detail = events.detail_of(rows.order_of(new))
    entry = events.put_events_entry(detail, bus="b")
    assert generated_events.is_event(entry.get("DetailType"), detail)
    return f"{entry.get('DetailType')} {entry.get('Detail')}"


def _of_the_queue(functions: InProcessFunctions, event: Any, outcome: Any) -> None:
    """Each valid message becomes an object in S3. Each other message goes to the failure queue with its error code."""
    bodies = [record["body"] for record in event["Records"]]
    good = {fact["event_id"].replace(":", "_") for fact in map(generated_events.fact_in, bodies) if fact}
    assert {key.rpartition("/")[2].removesuffix(".json") for _, key in functions.s3.objects} == good
    aside = [body for body in bodies if generated_events.fact_in(body) is None]
    assert [message["MessageBody"] for message in functions.sqs.sent] == aside
    reasons = {message["MessageAttributes"]["ERROR_CODE"]["StringValue"] for message in functions.sqs.sent}
    assert reasons <= {"ValidationError"}
    assert outcome == {"batchItemFailures": []}


def _of_the_first_step(_: InProcessFunctions, event: Any, outcome: Any) -> None:
    refusals = errors.ValidationError, errors.PayloadTooLarge, errors.UnsupportedMediaType
    assert isinstance(outcome, refusals) == (not generated_events.is_input(event)), outcome
    if not isinstance(outcome, OrdersError):
        assert generated_events.is_pending(outcome["order"])
        assert rows.order_of(outcome["item"]) == outcome["order"]


def _of_the_last_step(functions: InProcessFunctions, event: Any, outcome: Any) -> None:
    sold = sum(_STOCK - int(row["quantity"]["N"]) for row in functions.dynamodb.tables["inventory"].items.values())
    if isinstance(outcome, OrdersError):
        assert sold == 0
    else:
        assert generated_events.is_event("OrderConfirmed", events.detail_of(outcome))
        assert sold == sum(line["quantity"] for line in event["order"]["items"])


_SINGLE: Final = generated_events.bus_events()
_ATTACKS: Final[dict[str, tuple[st.SearchStrategy[Any], Judge, int]]] = {
    "send_email": (_SINGLE, _of_the_mail_queue, 500),
    "process_order": (_SINGLE, _of_new_orders, 400),
    "publish_order_events": (generated_events.stream_batches(), _of_the_stream, 300),
    "record_analytics": (generated_events.queue_batches(), _of_the_queue, 500),
    "validate_order": (generated_events.first_inputs(), _of_the_first_step, 600),
    "update_inventory": (generated_events.last_inputs(), _of_the_last_step, 500),
}


@pytest.mark.parametrize("function", _ATTACKS)
def test_consumers_process_events_or_reject_them_with_an_error_code(function: str, dose: Dose, proof: Proof) -> None:
    with in_process_functions(function) as functions:
        outcomes = _send_all(functions, function, dose(50, _ATTACKS[function][2]), random=dose.full)
    proof.tried(cases_in_process=outcomes.total())
    proof.found(accidental_errors=0)
    assert outcomes["handled"] > 0


def _send_all(functions: InProcessFunctions, function: str, examples: int, *, random: bool = False) -> Counter[str]:
    """Send `examples` generated events to `function`. Raise at the first wrong result.

    Return how often each result occurred: "handled", or the error's code.
    """
    strategy, judge, _ = _ATTACKS[function]
    outcomes: Counter[str] = Counter()

    def send(event: Any) -> None:
        _prepare(functions, event)
        try:
            outcome = functions.functions[function](batch(event) if function == "send_email" else event)
            outcomes["handled"] += 1
        except OrdersError as error:
            outcome = error
            outcomes[error.code] += 1
        judge(functions, event, outcome)

    each(strategy, examples, send, random=random)
    return outcomes


def _prepare(functions: InProcessFunctions, event: Any) -> None:
    """Write the rows that the event refers to."""
    functions.clear()
    fill(functions.dynamodb)
    for product_id in ("tea", "cup", "a", "Z9_-", "x" * 64, "0"):
        content: Any = {"name": product_id, "unit_price": 5, "currency": "JPY", "quantity": _STOCK}
        row = {"product_id": {"S": product_id}, **rows.product_values(content, request_id="r")}
        functions.dynamodb.put("inventory", row)
    order: Any = fields(fields(event).get("detail", event)).get("order")
    if generated_events.is_pending(order):
        functions.dynamodb.put("orders", rows.order_row(order, request_hash="h", synchronous=False))


def _no_contract(function: str) -> Callable[[InProcessFunctions], Any]:
    def breakage(functions: InProcessFunctions) -> Any:
        def read(event: Any) -> Any:
            return event["detail"]

        return mock.patch.object(functions.functions[function].module, "read", read)

    return breakage


def _no_catch(functions: InProcessFunctions) -> Any:
    relay = functions.functions["publish_order_events"].module.relay

    read = relay._read

    def read_or_raise(record: Any) -> Any:
        relay._detail(record["dynamodb"].get("OldImage"), record["dynamodb"].get("NewImage"))
        return read(record)

    return mock.patch.object(relay, "_read", read_or_raise)


def _nothing_set_aside(functions: InProcessFunctions) -> Any:
    def raise_it(_: Any, error: Exception) -> None:
        raise error

    return mock.patch.object(functions.functions["record_analytics"].module.queue, "_set_aside", raise_it)


@pytest.mark.parametrize(
    ("function", "breakage"),
    [
        ("send_email", _no_contract("send_email")),
        ("process_order", _no_contract("process_order")),
        ("publish_order_events", _no_catch),
        ("record_analytics", _nothing_set_aside),
    ],
)
def test_attack_detects_broken_consumers(function: str, breakage: Callable[[InProcessFunctions], Any]) -> None:
    accidents = AssertionError, AttributeError, KeyError, TypeError, ParamValidationError, BatchProcessingError
    with in_process_functions(function) as broken, breakage(broken), pytest.raises(accidents):
        _send_all(broken, function, 500)
