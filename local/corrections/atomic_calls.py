"""A workflow's DynamoDB calls do not interleave with other calls.

The emulator serves calls one after the other, but runs a workflow's dynamodb:putItem, updateItem and deleteItem beside
them in a thread: such a call could find its condition true, and then overwrite what somebody else wrote meanwhile.
"""

from __future__ import annotations

from typing import Any

from local.corrections import internal, replaces

_app: Any = internal("app")


@replaces("services.stepfunctions._invoke_dynamodb", "3d538d8656c8")
def invoke_dynamodb(original: Any, operation: str, arguments: Any) -> Any:
    """Make the call where all others are made."""

    async def call(*_: Any) -> Any:
        return original(operation, arguments)

    return _app.call_service_handler_sync(call, "POST", "/", {}, b"", {})
