"""Journey 3: an order of three lines, from the request to the emails and analytics records."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tests.journeys.patience import Watcher
from tests.journeys.people import People, Person
from tests.journeys.stack import Stack
from tests.support.published import as_published


class Bought(NamedTuple):
    customer: Person
    accepted: dict[str, Any]
    order: dict[str, Any]
    products: list[str]


@pytest.fixture(scope="module")
def bought(people: People, admin: Person, watcher: Watcher) -> Bought:
    """A confirmed order of three lines, with its customer and products."""
    customer = people.somebody().introduce()
    products = [admin.put(10, unit_price=price) for price in (100, 250, 3)]
    accepted = customer.order(dict(zip(products, (2, 3, 10), strict=True)))
    return Bought(customer, accepted, watcher.decided(customer, accepted["order_id"]), products)


def test_new_order_is_accepted_as_pending_without_prices(bought: Bought) -> None:
    assert bought.accepted["status"] == "PENDING"
    assert bought.accepted["user_id"] == bought.customer.sub
    assert "total" not in bought.accepted


def test_order_is_confirmed_at_catalog_prices(bought: Bought) -> None:
    assert bought.order["status"] == "CONFIRMED"
    assert [line["unit_price"] for line in bought.order["items"]] == [100, 250, 3]
    assert (bought.order["total"], bought.order["currency"]) == (2 * 100 + 3 * 250 + 10 * 3, "JPY")


def test_order_reduces_the_stock_of_its_products(bought: Bought, stack: Stack) -> None:
    assert [stack.stock(product) for product in bought.products] == [8, 7, 0]


def test_order_has_a_successful_execution_with_the_order_id_as_its_name(
    bought: Bought, watcher: Watcher, stack: Stack
) -> None:
    execution = watcher.ended(bought.order["order_id"])
    assert (execution["name"], execution["status"]) == (bought.order["order_id"], "SUCCEEDED")
    assert {"ValidateInput", "CheckInventory", "IsInStock", "ProcessOrder", "UpdateInventory", "SendNotification"} <= (
        set(stack.states(bought.order["order_id"]))
    )


def test_topic_publishes_one_notification_per_order(
    bought: Bought, watcher: Watcher, notifications: Callable[[str], list[Any]]
) -> None:
    order_id = bought.order["order_id"]
    told = watcher.until(lambda: notifications(order_id), "the notification arrives", order_id)
    assert told == [{"order_id": order_id, "user_id": bought.customer.sub, "status": "PROCESSING"}]


def test_bus_delivers_an_event_for_each_status(bought: Bought, watcher: Watcher) -> None:
    order_id = bought.order["order_id"]
    created, confirmed = watcher.told(order_id, "OrderCreated", "OrderConfirmed")
    assert created["detail"] == {"event_id": f"{order_id}:PENDING", "order": bought.accepted}
    assert confirmed["detail"] == {"event_id": f"{order_id}:CONFIRMED", "order": as_published(bought.order)}


def test_customer_gets_a_confirmation_email_with_the_total(bought: Bought, watcher: Watcher, stack: Stack) -> None:
    order, customer = bought.order, bought.customer
    watcher.until(
        lambda: stack.handled_mails(order["order_id"]) == 2,
        "send_email handles the order's two events",
        order["order_id"],
    )
    mails = {mail["Subject"]: mail for mail in stack.mails(customer.email)}
    # If the event about the confirmation arrives first, send_email leaves out the email about the received order. The
    # customer therefore gets one or two emails.
    assert {"Your order is confirmed"} <= set(mails) <= {"Your order is received", "Your order is confirmed"}
    for subject, mail in mails.items():
        assert mail["Source"] == "orders@example.com"
        assert f"Hello {customer.name}," in mail["BodyText"]
        assert f"Order {order['order_id']}" in mail["BodyText"]
        assert f"3 x {bought.products[1]}" in mail["BodyText"]
        assert ("Total: 980 JPY" in mail["BodyText"]) == (subject == "Your order is confirmed")


def test_each_event_has_an_analytics_record(bought: Bought, watcher: Watcher, stack: Stack) -> None:
    order = bought.order
    order_id, day = order["order_id"], order["created_at"][:10]
    kept = watcher.until(
        lambda: found if len(found := stack.analytics(order_id)) >= 2 else {}, "two analytics records exist", order_id
    )
    assert kept == {
        f"orders/dt={day}/{order_id}_PENDING.json": {
            "event_id": f"{order_id}:PENDING",
            "detail_type": "OrderCreated",
            "order": bought.accepted,
        },
        f"orders/dt={order['updated_at'][:10]}/{order_id}_CONFIRMED.json": {
            "event_id": f"{order_id}:CONFIRMED",
            "detail_type": "OrderConfirmed",
            "order": as_published(order),
        },
    }


def test_order_id_is_the_correlation_id_in_all_logs(bought: Bought, watcher: Watcher, stack: Stack) -> None:
    order_id = bought.order["order_id"]
    way = {
        "orders_api": "order accepted",
        "publish_order_events": "event published",
        "process_order": "workflow started",
        "validate_order": "order is valid",
        "update_inventory": "order confirmed",
        "record_analytics": "event recorded",
        "send_email": "email sent",
    }
    for name, message in way.items():
        said = watcher.until(lambda name=name: stack.records(name, order_id), f"{name} logs the order's id", order_id)
        assert message in [record["message"] for record in said]
    # The access log contains no order ids. The function's log contains the order id and the request id, so find the
    # request in the access log by its request id.
    accepted = next(record for record in stack.records("orders_api", order_id) if record["message"] == "order accepted")
    requests = {line["requestId"]: line for line in map(json.loads, stack.log("restApi"))}
    assert requests[accepted["request_id"]]["resourcePath"] == "/orders"
    assert requests[accepted["request_id"]]["status"] == "202"


def test_business_metrics_count_the_order(bought: Bought, watcher: Watcher, stack: Stack) -> None:
    watcher.until(lambda: stack.mails(bought.customer.email), "an email arrives", bought.order["order_id"])
    counted = {
        "users_api": "UserCreated",
        "publish_order_events": "OrderConfirmed",
        "send_email": "MailSent",
        "record_analytics": "OrderAnalysed",
    }
    for name, metric in counted.items():
        watcher.until(
            lambda name=name, metric=metric: metric in _metrics(stack, name), f"{name} counts {metric} in its metrics"
        )
    assert "OrderCreated" in _metrics(stack, "publish_order_events")


def test_success_topic_reports_each_successful_asynchronous_invocation(
    bought: Bought, watcher: Watcher, successes: Callable[[str], list[Any]]
) -> None:
    order_id = bought.order["order_id"]
    # Lambda reports only asynchronous invocations to the success topic. Of the functions that receive the events of the
    # bus, only process_order is invoked asynchronously. The others read queues.
    told = watcher.until(lambda: successes(order_id), "a message about the successful invocation arrives", order_id)
    handled = sorted(
        (each["requestContext"]["functionArn"].split(":")[6], each["requestPayload"]["detail-type"]) for each in told
    )
    assert handled == [("orders-local-process-order", "OrderCreated")]
    assert {each["requestContext"]["condition"] for each in told} == {"Success"}
    assert {"started": True} in [each["responsePayload"] for each in told]


def test_logs_contain_no_personal_data(bought: Bought, watcher: Watcher, stack: Stack) -> None:
    watcher.until(lambda: stack.mails(bought.customer.email), "an email arrives", bought.order["order_id"])
    secrets = (bought.customer.email, bought.customer.name, bought.customer.id_token)
    for name in stack.ops["logGroups"]:
        for line in stack.log(name):
            assert not [secret for secret in secrets if secret in line], f"{name}: {line}"


def test_order_with_25_lines_is_confirmed(customer: Person, admin: Person, watcher: Watcher) -> None:
    products = [admin.put(1, unit_price=10) for _ in range(25)]
    order = watcher.decided(customer, customer.order(dict.fromkeys(products, 1))["order_id"])
    assert (order["status"], order["total"]) == ("CONFIRMED", 250)


def test_order_without_a_profile_is_confirmed_without_emails(
    people: People, admin: Person, watcher: Watcher, stack: Stack
) -> None:
    stranger = people.somebody()
    order_id = stranger.order({admin.put(1): 1})["order_id"]
    assert watcher.decided(stranger, order_id)["status"] == "CONFIRMED"
    watcher.until(
        lambda: len(stack.records("send_email", order_id)) >= 2, "send_email logs the order's two events", order_id
    )
    # If send_email receives the two events in the wrong sequence, it handles both with the later one.
    skipped, handled = "email skipped: no profile with a verified address", "email was already handled"
    assert {skipped} <= {record["message"] for record in stack.records("send_email", order_id)} <= {skipped, handled}
    assert "MailSkipped" in _metrics(stack, "send_email")
    assert not stack.mails(stranger.email)


def _metrics(stack: Stack, name: str) -> set[str]:
    """Return the names of the business metrics in a function's log (embedded metric format)."""
    lines = [json.loads(line) for line in stack.log(name) if line.startswith('{"_aws"')]
    described = [each for line in lines for each in line["_aws"]["CloudWatchMetrics"]]
    assert {each["Namespace"] for each in described} <= {"orders-local"}
    return {metric["Name"] for each in described for metric in each["Metrics"]}
