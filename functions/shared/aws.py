"""Clients of AWS, one of each kind for a process."""

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
# No answer: whether the call was carried out is unknown.
NoAnswer: Final = (NoConnection, HTTPClientError)


def client(service: str, *, read_timeout_s: float = 1.75, attempts: int = 3, silent_errors: bool = False) -> Any:
    """Return a low-level client whose calls end, retries included, before the function that makes them does.

    The default of 60 s for each try would outlive every function here: Lambda would kill it in the middle of a try,
    without an answer or a log line. `attempts` counts the first one. With `silent_errors` AWS's errors have their code
    and no message: the tracer writes messages into the trace of the call itself, before a handler of ours sees them.
    """
    config = Config(
        connect_timeout=0.5,
        read_timeout=read_timeout_s,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
    try:
        made = session(own_data=True).create_client(service, config=config)
    except DataNotFoundError:
        # The runtime's botocore is not pinned: one that looks for other files has them itself.
        made = session(own_data=False).create_client(service, config=config)
    if silent_errors:
        made.meta.events.register("after-call", _drop_message)
    return made


def error_code(error: ClientError) -> str:
    """Return AWS's name of the error, e.g. ConditionalCheckFailedException."""
    return error.response.get("Error", {}).get("Code", "")


def existing_row(error: ClientError) -> dict[str, Any] | None:
    """Return the row that a failed condition met (ReturnValuesOnConditionCheckFailure=ALL_OLD), or None if none."""
    return cast("dict[str, Any]", error.response).get("Item")


def is_failed_condition(error: ClientError) -> bool:
    """Say whether a write's own condition refused it."""
    return error_code(error) == "ConditionalCheckFailedException"


def _drop_message(parsed: dict[str, Any], **_: Any) -> None:
    """Take the message out of AWS's answer before the SDK makes an error of it."""
    if "Error" in parsed:
        parsed["Error"]["Message"] = "left out, since it may name a person"


@cache
def session(*, own_data: bool) -> botocore.session.Session:
    """Return a session that knows all of AWS or, with `own_data`, only the operations that the functions call.

    components/functions/generated_code.py lists them.
    """
    found = botocore.session.get_session()
    if own_data:
        data = Loader(extra_search_paths=[str(OWN_DATA)], include_default_search_paths=False)
        found.register_component("data_loader", data)
    return found
