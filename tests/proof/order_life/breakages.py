"""Defects that the attack must find. Each name maps to a Python function that introduces the defect.

The Python function gets pytest's monkeypatch, and can change code that all Lambda functions share. It returns a
callback. The attack calls this callback with each Lambda function that it loads. The callback can therefore change the
code of a single Lambda function.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from shared import order_store, order_transactions, rows
from shared.domain import orders
from shared.domain.times import timestamp
from shared.identity import Caller
from tests.fakes.runtime import LoadedFunction

Change = Callable[[LoadedFunction], None]
Transactions: Any = order_transactions.OrderTransactions
Store: Any = order_store.OrderStore


def _in(function: str, change: Callable[[Any], None]) -> Callable[[pytest.MonkeyPatch], Change]:
    """Return a defect that applies `change` to the handler module of the Lambda function `function`."""

    def changed(process: LoadedFunction) -> None:
        if process.name == function:
            change(process.module)

    def apply(_patch: pytest.MonkeyPatch) -> Change:
        return changed

    return apply


def _sell_if(patch: pytest.MonkeyPatch, condition: str) -> None:
    def take_from_stock(self: Any, line: Any, _currency: str) -> Any:
        return self._stock_update(line, "-", condition)

    patch.setattr(Transactions, "_take_from_stock", take_from_stock)


def _stock_is_not_checked(patch: pytest.MonkeyPatch) -> None:
    _sell_if(patch, "attribute_exists(product_id)")


def _prices_as_they_were_read(patch: pytest.MonkeyPatch) -> None:
    """Don't check that prices are unchanged. The attack found this defect in an earlier version of the platform."""
    _sell_if(patch, "quantity >= :n")


def _taken_twice(patch: pytest.MonkeyPatch) -> None:
    original = Transactions._stock_update

    def stock_update(self: Any, line: Any, sign: str, condition: str) -> Any:
        number = line["quantity"] * (2 if sign == "-" else 1)
        return original(self, {**line, "quantity": number}, sign, condition)

    patch.setattr(Transactions, "_stock_update", stock_update)


def _confirmed_whatever_it_was(patch: pytest.MonkeyPatch) -> None:
    original = Transactions._confirmation

    def confirmation(self: Any, order: Any) -> Any:
        update = original(self, order)
        update["Update"]["ConditionExpression"] = "attribute_exists(order_id)"
        del update["Update"]["ExpressionAttributeValues"][":before"]
        return update

    patch.setattr(Transactions, "_confirmation", confirmation)


def _confirmed_in_two_writes(patch: pytest.MonkeyPatch) -> None:
    original = Transactions._transact

    def transact(self: Any, items: Any, retries: Any) -> Any:
        return original(self, items[:1], retries) + original(self, items[1:], retries)

    patch.setattr(Transactions, "_transact", transact)


def _cancelled_without_its_stock(patch: pytest.MonkeyPatch) -> None:
    original = Transactions._transact

    def transact(self: Any, items: Any, retries: Any) -> Any:
        is_return = any("+ :n" in item["Update"]["UpdateExpression"] for item in items)
        return original(self, items[:1] if is_return else items, retries)

    patch.setattr(Transactions, "_transact", transact)


def _cancelled_whatever_it_was(patch: pytest.MonkeyPatch) -> None:
    original = Transactions._cancellation

    def cancellation(self: Any, cancelled: Any) -> Any:
        update = original(self, cancelled)
        update["Update"]["ConditionExpression"] = "#user_id = :user_id"
        del update["Update"]["ExpressionAttributeValues"][":before"]
        return update

    patch.setattr(Transactions, "_cancellation", cancellation)


def _a_cancellation_is_dated_before(patch: pytest.MonkeyPatch) -> None:
    """Allow a cancellation with an earlier time than the order's last change. An earlier version had this defect."""
    original: Any = orders.cancelled

    def cancelled(order: Any, now: datetime) -> Any:
        return {**original(order, now), "updated_at": timestamp(now)}

    patch.setattr(orders, "cancelled", cancelled)


def _keys_of_all_users(patch: pytest.MonkeyPatch) -> None:
    original = orders.order_id_for

    def order_id_for(_user_id: str, key: str) -> str:
        return original("anybody", key)

    patch.setattr(orders, "order_id_for", order_id_for)


def _keys_are_ignored(patch: pytest.MonkeyPatch) -> None:
    def order_id_for(_user_id: str, _key: str) -> str:
        return str(uuid.uuid4())

    patch.setattr(orders, "order_id_for", order_id_for)


def _another_body_is_the_same(patch: pytest.MonkeyPatch) -> None:
    def request_hash(_items: Any) -> str:
        return "same"

    patch.setattr(orders, "request_hash", request_hash)


def _created_over_what_is_there(patch: pytest.MonkeyPatch) -> None:
    def create(self: Any, order: Any, *, request_hash: str) -> Any:
        row = rows.order_row(order, request_hash=request_hash, synchronous=False)
        self._client.put_item(TableName=self._table, Item=row)
        return order

    patch.setattr(Store, "create", create)


def _accepted_but_not_written(patch: pytest.MonkeyPatch) -> None:
    def create(_self: Any, order: Any, *, request_hash: str) -> Any:
        del request_hash
        return order

    patch.setattr(Store, "create", create)


def _anybody_may_read(patch: pytest.MonkeyPatch) -> None:
    def may_read(_self: Caller, _owner_id: str) -> bool:
        return True

    patch.setattr(Caller, "may_read", may_read)


def _a_page_loses_one(patch: pytest.MonkeyPatch) -> None:
    original = Store.page

    def page(self: Any, user_id: str, limit: int, *, after: Any) -> Any:
        return original(self, user_id, limit, after=after)[0][1:], False

    patch.setattr(Store, "page", page)


def _the_page_of_another(patch: pytest.MonkeyPatch) -> None:
    original, first = Store.page, list[str]()

    def page(self: Any, user_id: str, limit: int, *, after: Any) -> Any:
        first.append(user_id)
        return original(self, first[0], limit, after=after)

    patch.setattr(Store, "page", page)


def _published_without_checking(module: Any) -> None:
    original = module.relay._put

    def put(changes: Any, published: Any) -> None:
        original(changes[:1], published)

    module.relay._put = put


def _mailed_each_time(module: Any) -> None:
    def take(_event_id: str, **_times: Any) -> str:
        return "claim"

    def finish(_event_id: str, _claim: str) -> None:
        pass

    module.claims.take, module.claims.finish = take, finish


def _kept_each_time(module: Any) -> None:
    def object_key(record: Any) -> str:
        return f"orders/dt={record['order']['updated_at'][:10]}/{uuid.uuid4()}.json"

    module.analytics_record.object_key = object_key


def _anybody_may_cancel(module: Any) -> None:
    def owned(order_id: str, _caller: Caller) -> Any:
        return module._order(order_id)

    module._owned = owned


def _not_started(module: Any) -> None:
    def to_start(_order_id: str, _now: Any) -> None:
        return None

    module._to_start = to_start


def _synchronous_orders_are_left_alone(module: Any) -> None:
    original = module._to_start

    def to_start(order_id: str, now: Any) -> Any:
        return None if rows.is_synchronous(module.store.row(order_id)) else original(order_id, now)

    module._to_start = to_start


def _young_orders_fail(module: Any) -> None:
    module.TIME_LIMIT = timedelta()


def _unchanged(_process: LoadedFunction) -> None:
    pass


def _shared(change: Callable[[pytest.MonkeyPatch], None]) -> Callable[[pytest.MonkeyPatch], Change]:
    def apply(patch: pytest.MonkeyPatch) -> Change:
        change(patch)
        return _unchanged

    return apply


BREAKAGES: Final[Mapping[str, Callable[[pytest.MonkeyPatch], Change]]] = {
    "stock is not checked": _shared(_stock_is_not_checked),
    "stock is reduced twice": _shared(_taken_twice),
    "order confirmed at outdated prices": _shared(_prices_as_they_were_read),
    "confirmed in any status": _shared(_confirmed_whatever_it_was),
    "confirmed in two writes": _shared(_confirmed_in_two_writes),
    "cancelled without returning stock": _shared(_cancelled_without_its_stock),
    "cancelled in any status": _shared(_cancelled_whatever_it_was),
    "cancellation is dated before the last change": _shared(_a_cancellation_is_dated_before),
    "users share idempotency keys": _shared(_keys_of_all_users),
    "idempotency keys are ignored": _shared(_keys_are_ignored),
    "repeated key with another body gets no conflict": _shared(_another_body_is_the_same),
    "new order overwrites an existing order": _shared(_created_over_what_is_there),
    "accepted but not written": _shared(_accepted_but_not_written),
    "any user may read an order": _shared(_anybody_may_read),
    "a page omits an order": _shared(_a_page_loses_one),
    "a page shows another user's orders": _shared(_the_page_of_another),
    "failed publications are ignored": _in("publish_order_events", _published_without_checking),
    "email sent for each delivery of an event": _in("send_email", _mailed_each_time),
    "analytics record written for each delivery of an event": _in("record_analytics", _kept_each_time),
    "any user may cancel an order": _in("orders_api", _anybody_may_cancel),
    "workflow is not started": _in("process_order", _not_started),
    "process_order ignores undecided synchronous orders": _in("process_order", _synchronous_orders_are_left_alone),
    "orders fail before the time limit": _in("fail_order", _young_orders_fail),
}
