"""A workflow's DynamoDB calls never run at the same time as other calls, so their writes are atomic, as on AWS.

This correction runs the workflow's calls in the thread that serves all requests.

Emulator: The emulator serves its requests in one thread, but runs a workflow's dynamodb:putItem, updateItem and
    deleteItem in another thread. The workflow's call can check its condition and then overwrite a value that another
    request wrote after the check.
AWS: DynamoDB checks the condition and writes the item in one atomic step.
Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html
Upstream: report as a bug.
"""

from __future__ import annotations

from typing import Any

from emulator_fixes import internal, replaces

_app: Any = internal("app")


@replaces("services.stepfunctions._invoke_dynamodb", "3d538d8656c8")
def invoke_dynamodb(original: Any, operation: str, arguments: Any) -> Any:
    """Run the workflow's DynamoDB call in the thread that serves all other requests."""

    async def call(*_: Any) -> Any:
        return original(operation, arguments)

    return _app.call_service_handler_sync(call, "POST", "/", {}, b"", {})
