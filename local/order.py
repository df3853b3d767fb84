"""`make order` places an order as the customer of the sample data, and shows each step of the order."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from local import emulator
from local.aws import Aws
from local.client import Answer, Client, SignInError, client_of
from local.errors import LocalError
from local.instance import Instance, read_outputs
from local.journey import Journey, Step, watch
from local.progress import Progress

LINES: Final = (("apple", 3), ("green-tea", 2), ("bento", 1))
# The command stops waiting after this number of seconds without a new step. Waiting for all retries would take too
# long, because Lambda and SQS may retry a failing message for a quarter of an hour.
_SILENT_S: Final = 120
_ACCEPTED: Final = 202
_OK: Final = 200
_BAD_ENDS: Final = frozenset({"OrderRejected", "OrderFailed"})
_RECEIVED: Final = "mail Your order is received"
_CONFIRMED: Final = "mail Your order is confirmed"
# Each key is a step that an order must cause. Its value names the functions or state machines whose logs explain a
# missing step.
EXPECTED: Final[Mapping[str, str]] = {
    "OrderCreated": "publish_order_events",
    "execution SUCCEEDED": "process_order, standard",
    "notification": "standard",
    "OrderConfirmed": "publish_order_events",
    _RECEIVED: "send_email",
    _CONFIRMED: "send_email",
    "record PENDING": "record_analytics",
    "record CONFIRMED": "record_analytics",
}


def missing_steps(arrived: Collection[str]) -> list[str]:
    """Return the steps in EXPECTED that `arrived` does not contain, without an email that `send_email` left out.

    `send_email` leaves out the email about an earlier status if it has already sent the email about a later status. On
    a busy machine, the events of an order can reach `send_email` in the wrong sequence.
    """
    return [what for what in EXPECTED if what not in arrived and not (what == _RECEIVED and _CONFIRMED in arrived)]


def running_outputs(instance: Instance) -> dict[str, Any]:
    """Return the content of .local/outputs.json. Raises LocalError if the platform is not running."""
    outputs = read_outputs(instance)
    if emulator.find(instance).state != "running" or outputs is None or "ops" not in outputs:
        raise LocalError(f"nothing is running at {instance.url}. Remedy: {instance.command('up')}")
    return outputs


def order(instance: Instance, progress: Progress) -> int:
    """Place an order, follow it and print its steps.

    Returns the exit code: 0 if the order caused every step in EXPECTED, else 1. Raises LocalError if no instance is
    running or the API refuses the order.
    """
    outputs = running_outputs(instance)
    aws, client = Aws(instance, outputs["ops"]["region"]), client_of(outputs)
    who = outputs["local"]["customer"]
    try:
        tokens = client.sign_in_by_code(who["username"], who["password"])
    except SignInError as error:
        raise LocalError(str(error)) from None
    before = _stock(aws, outputs)
    with watch(aws, outputs["ops"]) as journey:
        began, answer = _place(client, tokens.id_token)
        journey.order_id = answer.json()["order_id"]
        accepted = f"202 {answer.json()['status']}, Location {answer.headers['location']}"
        journey.steps += [
            Step(began, 0, "REST API", f"POST /orders as {who['username']}"),
            Step(time.time(), 0, "REST API", accepted),
        ]
        _follow(journey, progress)
    placed = _require(client.rest("GET", f"/orders/{journey.order_id}", tokens.id_token), _OK).json()
    after = _stock(aws, outputs)
    _report(progress, journey.steps, placed, before, after)
    if placed.get("reason", {}).get("code") == "OutOfStock":
        progress.say(f"\nSold out. To start again with the original stock: {instance.anew}")
    return _verdict(journey, outputs["ops"], progress, time.time() - began)


def _place(client: Client, token: str) -> tuple[float, Answer]:
    body = {"items": [{"product_id": product, "quantity": quantity} for product, quantity in LINES]}
    began = time.time()
    answer = client.rest("POST", "/orders", token, body, {"Idempotency-Key": secrets.token_urlsafe(8)})
    return began, _require(answer, _ACCEPTED)


def _follow(journey: Journey, progress: Progress) -> None:
    with progress.waiting() as say:
        ends = time.monotonic() + _SILENT_S
        while missing := missing_steps(journey.arrived):
            say(f"order {journey.order_id}: {len(EXPECTED) - len(missing)} of {len(EXPECTED)}")
            # Call `is_at_rest` before `look`. In the opposite order, a step could happen between the two calls, and the
            # loop would end without it.
            is_at_rest = emulator.is_at_rest(journey.instance)
            if journey.look():
                ends = time.monotonic() + _SILENT_S
            elif is_at_rest or time.monotonic() > ends:
                return
            time.sleep(0.1)


def _stock(aws: Aws, outputs: Mapping[str, Any]) -> dict[str, int]:
    """Return the stock of the ordered products, read from the inventory table."""
    table = outputs["ops"]["tables"]["inventory"]
    keys = [{"product_id": {"S": product}} for product, _ in LINES]
    found = aws("dynamodb", "batch_get_item", RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
    return {item["product_id"]["S"]: int(item["quantity"]["N"]) for item in found["Responses"][table]}


def _report(
    progress: Progress,
    steps: Sequence[Step],
    placed: Mapping[str, Any],
    before: Mapping[str, int],
    after: Mapping[str, int],
) -> None:
    lines = ", ".join(f"{quantity} x {product}" for product, quantity in LINES)
    progress.say(f"\nOrder {placed['order_id']}: {lines}\n")
    began, where = min(steps).at, ""
    for step in sorted(steps):
        shown = step.where if step.where != where else ""
        progress.say(f"  {step.at - began:6.2f} s  {shown:<10} {step.what}")
        where = step.where
    stock = ", ".join(f"{product} {before.get(product)} → {after.get(product)}" for product, _ in LINES)
    reason = f", {placed['reason']['code']}: {placed['reason']['message']}" if "reason" in placed else ""
    total = f"{placed['total']:,} {placed['currency']}" if "total" in placed else "no total"
    progress.say(f"\n  stock     {stock}\n  order     {placed['status']}, {total}{reason}")


def _verdict(journey: Journey, ops: Mapping[str, Any], progress: Progress, seconds: float) -> int:
    missing = missing_steps(journey.arrived)
    if _RECEIVED not in journey.arrived and not missing:
        progress.say("\nThe email about the receipt was left out, because the confirmation was sent first.")
    if not missing:
        progress.say(f"\nEverything arrived in {seconds:.1f} s.")
        return 0
    if ended := journey.arrived & _BAD_ENDS:
        progress.say(f"\nThe order was not confirmed: {', '.join(ended)}.")
        return 1
    progress.say("\nThese steps are missing:")
    for what in missing:
        groups = ", ".join(ops["logGroups"].get(name, name) for name in EXPECTED[what].split(", "))
        progress.say(f"  {what}: see the log group {groups}")
    return 1


def _require(answer: Answer, status: int) -> Answer:
    if answer.status != status:
        raise LocalError(f"the API returned status {answer.status}; expected: {status}: {answer.text[:500]}")
    return answer
