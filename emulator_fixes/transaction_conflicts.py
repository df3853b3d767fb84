"""Transactions conflict with concurrent transactions and writes of the same items.

The environment variable LOCAL_TRANSACTION_MS is the duration of a transaction, in milliseconds. With 0, nothing
conflicts. Only TransactWriteItems becomes slower by this duration. There are two differences from AWS: BatchWriteItem
and PartiQL calls never conflict. A single write (such as PutItem) never cancels a transaction, because the emulator
completes the write before it serves another call.

Emulator: The emulator completes each call before it serves the next one, so no transaction is running when a call
    arrives.
AWS: A transaction takes a few milliseconds. During that time, DynamoDB does not queue other calls for the same items
    but rejects them: TransactWriteItems and TransactGetItems are canceled with the reason TransactionConflict, and
    PutItem, UpdateItem and DeleteItem fail with TransactionConflictException. GetItem succeeds.
Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
Upstream: request as a feature.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from typing import Any, Final

from emulator_fixes import internal, nested, replaces

_DURATION_S: Final = float(os.environ.get("LOCAL_TRANSACTION_MS", "0")) / 1000
_MESSAGE: Final = "Transaction is ongoing for the item"
_CODE: Final = "TransactionConflict"
_dynamodb: Any = internal("services.dynamodb")
_responses: Any = internal("core.responses")
_busy_until: Final[dict[Any, float]] = {}
"""Maps each item to the time at which its transaction ends, in seconds of the monotonic clock."""


@replaces("services.dynamodb.handle_request", "1201f2ac993c")
async def handle_request(original: Any, method: str, path: str, headers: Any, body: Any, query: Any) -> Any:
    """Run a TransactWriteItems call, or cancel it if another transaction holds an item. Pass on all other calls.

    The transaction holds its items for LOCAL_TRANSACTION_MS. Then the response is sent.
    """
    call = (method, path, headers, body, query)
    if not headers.get("x-amz-target", "").endswith(".TransactWriteItems"):
        return await original(*call)
    items, token = _asked(body)
    if token and _dynamodb._txn_token_lookup(token) is not None:
        # Skip the check for conflicts. The client token shows that this call repeats a completed transaction. The call
        # writes nothing, so it cannot conflict.
        return await original(*call)
    if any(busy := [_is_busy(item) for item in items]):
        return _canceled(busy)
    answer = await original(*call)
    held = dict.fromkeys(items, time.monotonic() + _DURATION_S)
    _busy_until.update(held)
    try:
        await asyncio.sleep(_DURATION_S)
    finally:
        for item, until in held.items():
            if _busy_until.get(item) == until:
                del _busy_until[item]
    return answer


@replaces("services.dynamodb._transact_get_items", "4fd2ebad6b20")
def transact_get_items(original: Any, request: Any) -> Any:
    """Run TransactGetItems, or cancel it if one of its items is in a running transaction."""
    gets = [nested(each, "Get") for each in _members(request)]
    busy = [_is_busy(_item(nested(get, "TableName"), nested(get, "Key"))) for get in gets]
    return _canceled(busy) if any(busy) else original(request)


@replaces("services.dynamodb._put_item", "bedd46ca5524")
def put_item(original: Any, request: Any) -> Any:
    """Put an item, or return TransactionConflictException if the item is in a running transaction."""
    return _refusal(request, "Item") or original(request)


@replaces("services.dynamodb._update_item", "4ae0d4444489")
def update_item(original: Any, request: Any) -> Any:
    """Update an item, or return TransactionConflictException if the item is in a running transaction."""
    return _refusal(request, "Key") or original(request)


@replaces("services.dynamodb._delete_item", "548662891530")
def delete_item(original: Any, request: Any) -> Any:
    """Delete an item, or return TransactionConflictException if the item is in a running transaction."""
    return _refusal(request, "Key") or original(request)


def _is_busy(item: Any) -> bool:
    return item is not None and time.monotonic() < _busy_until.get(item, 0)


def _refusal(request: Any, key: str) -> Any:
    if _is_busy(_item(request.get("TableName"), request.get(key))):
        return _responses.error_response_json("TransactionConflictException", _MESSAGE, 400)
    return None


def _canceled(busy: list[bool]) -> Any:
    """Return TransactionCanceledException with a reason per item. `busy` is True for the items that conflict."""
    reasons = [{"Code": _CODE, "Message": _MESSAGE} if each else {"Code": "None"} for each in busy]
    codes = ", ".join(reason["Code"] for reason in reasons)
    message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    extra = {"CancellationReasons": reasons}
    return _responses.error_response_json("TransactionCanceledException", message, 400, extra)


def _asked(body: Any) -> tuple[list[Any], Any]:
    """Return the items and the ClientRequestToken of `body`, the body of a TransactWriteItems request.

    The items have the same order as in the request.
    """
    try:
        request: Any = json.loads(body)
    except ValueError:
        return [], None
    return [_written(each) for each in _members(request)], nested(request, "ClientRequestToken")


def _members(request: Any) -> list[Any]:
    found = nested(request, "TransactItems")
    return found if isinstance(found, list) else []  # pyright: ignore[reportUnknownVariableType]


def _written(member: Any) -> Any:
    kind, action = _dynamodb._extract_transact_op(member if isinstance(member, dict) else {})
    return _item(nested(action, "TableName"), nested(action, "Item" if kind == "Put" else "Key"))


def _item(table: Any, attributes: Any) -> Any:
    """Return a key that identifies the item with `attributes` in `table`, or None if the request is invalid."""
    name = str(_dynamodb._normalize_table_name(table))
    keys = [nested(_dynamodb._tables.get(name), key) for key in ("pk_name", "sk_name")]
    if not nested(attributes, keys[0]):
        return None
    scope = (_responses.get_account_id(), _responses.get_region())
    return (*scope, name, *(str(_dynamodb._extract_key_val(nested(attributes, key))) for key in keys if key))
