"""The AWS calls that each operation should make.

The number of calls does not grow with the amount of data, but the number of DynamoDB request units does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

from components.apis import routes
from components.aws import openapi
from shared.domain.orders import Order
from tests.fakes.gateway import USER
from tests.fakes.messages import batch
from tools.cost.operations import ORDER_ID, PAGE, Case, Cloud, Play, Prepare, event, messages

_USER: Final = {"name": "Ada", "email": "ada@example.com"}
_CONTENT: Final = {"name": "Green tea", "unit_price": 250, "currency": "JPY", "quantity": 10}


def _create(lines: int) -> Prepare:
    def prepare(cloud: Cloud) -> Play:
        items = cloud.products(lines)
        return lambda: cloud.rest("POST", "/orders", {"items": items})

    return prepare


def _list_orders(number: int, *, skip: int = 0) -> Prepare:
    """Create `number` orders, and prepare a request for the page of orders that follows the first `skip` pages."""

    def prepare(cloud: Cloud) -> Play:
        cloud.orders(number)
        query = {"limit": str(PAGE)}
        for _ in range(skip):
            query["cursor"] = cloud.rest("GET", "/orders", **query).body["next_cursor"]
        return lambda: cloud.rest("GET", "/orders", **query)

    return prepare


def _list_products(number: int, *, limit: int = PAGE, next_page: bool = False) -> Prepare:
    def prepare(cloud: Cloud) -> Play:
        cloud.products(number)
        query = {"limit": str(limit)}
        if next_page:
            query["cursor"] = cloud.http("GET", "/products", **query).body["next_cursor"]
        return lambda: cloud.http("GET", "/products", **query)

    return prepare


def _cancel(lines: int, *, confirmed: bool) -> Prepare:
    def prepare(cloud: Cloud) -> Play:
        order = cloud.confirmed(lines) if confirmed else cloud.order(lines)
        return lambda: cloud.rest("POST", f"/orders/{order['order_id']}/cancel")

    return prepare


def _standard(lines: int) -> Prepare:
    def prepare(cloud: Cloud) -> Play:
        order = cloud.order(lines)
        return lambda: cloud.workflow.run_accepted({"order": order})

    return prepare


def _express(lines: int) -> Prepare:
    def prepare(cloud: Cloud) -> Play:
        request = {"user_id": USER, "idempotency_key": "k", "content": {"items": cloud.products(lines)}}
        return lambda: cloud.workflow.run({"request": request})

    return prepare


def _relay(records: int) -> Prepare:
    def prepare(cloud: Cloud) -> Play:
        for number in range(records):
            cloud.order(order_id=f"00000000-0000-4000-8000-{number:012d}")
        batch = {"Records": list(cloud.platform.dynamodb.tables["orders"].stream)}
        return lambda: cloud.invoke("publish_order_events", batch)

    return prepare


def _consumer(function: str) -> Prepare:
    def prepare(cloud: Cloud) -> Play:
        sent = event(cloud.order())
        return lambda: cloud.invoke(function, sent)

    return prepare


def _mail(*, profile: bool = True, confirmed: bool = False) -> Prepare:
    def prepare(cloud: Cloud) -> Play:
        if profile:
            cloud.rest("POST", "/users", _USER)
        about = batch(event(cloud.order()))
        if confirmed:
            # Send the email about the earlier status before counting starts, so that the case counts only the email
            # about the confirmation.
            cloud.invoke("send_email", about)
            cloud.confirmed(1)
            about = batch(event(cast("Order", cloud.rest("GET", f"/orders/{ORDER_ID}").body)))
        return lambda: cloud.invoke("send_email", about)

    return prepare


def _analytics(number: int) -> Prepare:
    def prepare(cloud: Cloud) -> Play:
        batch = messages(cloud.order(), number)
        return lambda: cloud.invoke("record_analytics", batch)

    return prepare


def _fail(cloud: Cloud) -> Play:
    order = cloud.order()
    ended = {"detail": {"name": order["order_id"], "status": "TIMED_OUT"}}
    return lambda: cloud.invoke("fail_order", ended)


def _decided(cloud: Cloud) -> Play:
    cloud.confirmed(1)
    return _mark(cloud)


def _marked(cloud: Cloud) -> Play:
    cloud.order()
    return _mark(cloud)


def _mark(cloud: Cloud) -> Play:
    batch = {"Records": list(cloud.platform.dynamodb.tables["orders"].stream)}
    return lambda: cloud.invoke("mark_late_orders", batch)


def _sweep(number: int) -> Prepare:
    def prepare(cloud: Cloud) -> Play:
        if number:
            cloud.order()
            _mark(cloud)()
            cloud.platform.dynamodb.faults.calls.clear()
        return lambda: cloud.invoke("restart_late_orders", {})

    return prepare


def _create_user(cloud: Cloud) -> Play:
    return lambda: cloud.rest("POST", "/users", _USER)


def _get_user(cloud: Cloud) -> Play:
    made = cloud.rest("POST", "/users", _USER).body
    return lambda: cloud.rest("GET", f"/users/{made['user_id']}")


def _get_order(cloud: Cloud) -> Play:
    cloud.order()
    return lambda: cloud.rest("GET", f"/orders/{ORDER_ID}")


def _get_product(cloud: Cloud) -> Play:
    cloud.products(1)
    return lambda: cloud.http("GET", "/products/product-000")


def _put_product(number: int) -> Prepare:
    def prepare(cloud: Cloud) -> Play:
        cloud.products(number)
        return lambda: cloud.http("PUT", "/products/product-000", _CONTENT)

    return prepare


def _apis() -> Iterator[Case]:
    yield Case("`POST /users`", "", _create_user, "PutItem users", writes=1)
    yield Case("`GET /users/{user_id}`", "", _get_user, "GetItem users", reads=1)
    yield Case("`POST /orders`", "1 line", _create(1), "PutItem orders", writes=2)
    yield Case("`POST /orders`", "25 lines", _create(25), "PutItem orders", writes=4)
    yield Case("`GET /orders/{order_id}`", "", _get_order, "GetItem orders", reads=1)
    for number, reads in ((10, 0.5), (100, 4), (1_000, 4), (10_000, 4)):
        yield Case("`GET /orders?limit=100`", f"{number:,} orders", _list_orders(number), "Query by-user", reads=reads)
    calls = "GetItem orders, Query by-user"
    yield Case("`GET /orders?limit=100`", "10,000 orders, 3rd page", _list_orders(10_000, skip=2), calls, reads=5)
    pending, confirmed = "`POST /orders/{order_id}/cancel`, PENDING", "`POST /orders/{order_id}/cancel`, CONFIRMED"
    yield Case(pending, "1 line", _cancel(1, confirmed=False), "GetItem orders, UpdateItem orders", 1, 2)
    yield Case(pending, "25 lines", _cancel(25, confirmed=False), "GetItem orders, UpdateItem orders", 1, 4)
    for lines, inventory, writes in ((1, "inventory", 5), (25, "25 inventory", 59)):
        calls = f"GetItem orders, TransactWriteItems orders + {inventory}"
        size = f"{lines} line{'s' * (lines > 1)}"
        yield Case(confirmed, size, _cancel(lines, confirmed=True), calls, 1, writes)
    for number, reads in ((1, 1), (10, 5.5), (100, 50.5)):
        calls = f"Query catalog, BatchGetItem {number} inventory"
        yield Case(
            "`GET /products?limit=100`", f"{number:,} product{'s' * (number > 1)}", _list_products(number), calls, reads
        )
    calls = "GetItem inventory, Query catalog, BatchGetItem 20 inventory"
    yield Case("`GET /products`", "2nd page", _list_products(60, limit=20, next_page=True), calls, 11.5)
    yield Case("`GET /products/{product_id}`", "", _get_product, "GetItem inventory", 1)
    yield Case("`PUT /products/{product_id}`", "existing product", _put_product(1), "UpdateItem inventory", writes=1)
    yield Case("`PUT /products/{product_id}`", "new product", _put_product(0), "2 x UpdateItem inventory", writes=2)


def _workflow() -> Iterator[Case]:
    for lines, inventory, reads, writes in ((1, "inventory", 1, 5), (25, "25 inventory", 25, 59)):
        size = f"{lines} line{'s' * (lines > 1)}"
        calls = f"BatchGetItem {lines} inventory, TransactWriteItems orders + {inventory}"
        standard, express = f"{calls}, StartSyncExecution, Publish", f"PutItem orders, {calls}, Publish"
        yield Case("order workflow, STANDARD", size, _standard(lines), standard, reads, writes)
        yield Case("order workflow, EXPRESS", size, _express(lines), express, reads, writes + (2 if lines == 1 else 4))


def _consumers() -> Iterator[Case]:
    for number, calls in ((1, "PutEvents of 1"), (10, "PutEvents of 10"), (50, "5 x PutEvents of 10")):
        yield Case("`publish_order_events`", f"{number} change{'s' * (number > 1)}", _relay(number), calls)
    yield Case("`process_order`", "", _consumer("process_order"), "GetItem orders, StartExecution", reads=1)
    calls = "PutItem idempotency, GetItem users, UpdateItem idempotency"
    yield Case("`send_email`", "PENDING", _mail(), f"{calls}, SendEmail", 1, 2)
    confirmed = "GetItem idempotency, PutItem idempotency, GetItem users, UpdateItem idempotency, SendEmail"
    yield Case("`send_email`", "CONFIRMED", _mail(confirmed=True), confirmed, 2, 2)
    yield Case("`send_email`", "no profile", _mail(profile=False), calls, 1, 2)
    for number, calls in ((1, "PutObject"), (10, "10 x PutObject")):
        yield Case("`record_analytics`", f"{number} event{'s' * (number > 1)}", _analytics(number), calls)
    yield Case("`mark_late_orders`", "decided order", _decided, "")
    yield Case("`mark_late_orders`", "late order", _marked, "UpdateItem orders", writes=2 + 1)
    yield Case("`restart_late_orders`", "no late order", _sweep(0), "16 x Query late", reads=8)
    calls = "16 x Query late, GetItem orders, StartExecution"
    yield Case("`restart_late_orders`", "late order", _sweep(1), calls, reads=8 + 1)
    yield Case("`fail_order`", "", _fail, "UpdateItem orders", writes=2)


CASES: Final = (*_apis(), *_workflow(), *_consumers())


def named(case: Any) -> str:
    """Return the case's name as a test id."""
    return f"{case.operation}-{case.size}".replace("`", "")


def _routes() -> Iterator[str]:
    """Yield the method and path of each operation that a function serves."""
    for document in (routes.REST_API, routes.HTTP_API):
        for operation in openapi.operations(openapi.load(document)):
            if routes.function_of(operation.operation_id) != routes.WORKFLOW:
                yield f"{operation.method} {operation.path}"


def shown() -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the header and the rows of the table of AWS calls in docs/cost.md."""
    lines = [(case.operation, case.size, case.calls, f"{case.reads:g}", str(case.writes)) for case in CASES]
    lines += [
        (route, "-", "not measured", "-", "-") for route in _routes() if not any(route in line[0] for line in lines)
    ]
    return ("operation", "size", "AWS calls", "read units", "write units"), lines
