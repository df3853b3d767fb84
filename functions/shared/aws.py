"""Creates botocore clients and reads their errors."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError, DataNotFoundError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection
from botocore.loaders import Loader

OWN_DATA: Final = Path(__file__).with_name("sdk")
# After one of these errors, it is unknown whether AWS carried out the call.
NoResponse: Final = (NoConnection, HTTPClientError)

CONNECT_TIMEOUT_S: Final = 0.5
READ_TIMEOUT_S: Final = 1.75

_CONFLICT: Final = "TransactionConflictException"
_THROTTLED: Final = frozenset(
    {
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingError",
        "ThrottlingException",
    }
)
_TRANSIENT: Final = _THROTTLED | {
    "InternalServerError",
    "TransactionConflict",
    "TransactionInProgressException",
}


def client(
    service: str, *, read_timeout_s: float = READ_TIMEOUT_S, attempts: int = 3, silent_errors: bool = False
) -> Any:
    """Return a low-level client for `service` whose calls, including retries, end before the function's time limit.

    botocore's default timeout of 60 s is longer than the time limit of every function. With that timeout, Lambda would
    stop the function during a call, without an error response or a log line. `attempts` includes the first attempt.

    With `silent_errors`, AWS's errors keep their code but lose their message. This is necessary for SES: its error
    messages contain email addresses, and the tracer writes the message of an error into the trace before a handler can
    remove it.
    """
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=read_timeout_s,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
    try:
        made = session(own_data=True).create_client(service, config=config)
    except DataNotFoundError:
        # Lambda can update its botocore at any time. The new version may need data files that the layer does not
        # contain. In this case, the client uses the data files in botocore's own folder.
        made = session(own_data=False).create_client(service, config=config)
    if silent_errors:
        made.meta.events.register("after-call", _drop_message)
    return made


def error_code(error: ClientError) -> str:
    """Return AWS's error code, for example ConditionalCheckFailedException."""
    return error.response.get("Error", {}).get("Code", "")


def existing_row(error: ClientError) -> dict[str, Any] | None:
    """Return the row that did not meet the condition of a write, or None if `error` contains no row.

    The write must have set ReturnValuesOnConditionCheckFailure=ALL_OLD.
    """
    return cast("dict[str, Any]", error.response).get("Item")


def is_failed_condition(error: ClientError) -> bool:
    """Return whether a write failed because the row did not meet its condition."""
    return error_code(error) == "ConditionalCheckFailedException"


def is_conflict(error: ClientError) -> bool:
    """Return whether DynamoDB refused a write of one item because the item was in a transaction."""
    return error_code(error) == _CONFLICT


def is_throttled(error: ClientError) -> bool:
    """Return whether DynamoDB refused a call because of throttling, or because an item was in a transaction.

    DynamoDB did not carry out the call, so the caller can try again later.
    """
    return error_code(error) in _THROTTLED or is_conflict(error)


def is_transient(code: str) -> bool:
    """Return whether a transaction that failed with the error or cancellation code `code` may succeed later."""
    return code in _TRANSIENT


def _drop_message(parsed: dict[str, Any], **_: Any) -> None:
    """Remove the message from an error response before the SDK raises an exception from it."""
    if "Error" in parsed:
        parsed["Error"]["Message"] = "removed because it may contain personal data"


@cache
def session(*, own_data: bool) -> botocore.session.Session:
    """Return a botocore session.

    With `own_data`, the session knows only the operations that the functions call. The build of the common layer
    generates service models of these operations, which load faster than the models of all operations.
    """
    found = botocore.session.get_session()
    if own_data:
        data = Loader(extra_search_paths=[str(OWN_DATA)], include_default_search_paths=False)
        found.register_component("data_loader", data)
    return found
