"""A state machine can do only what its execution role allows.

This correction checks the role before each call of a task, and fails the task with AWS's error.

Emulator: The emulator runs every task without checking the execution role.
AWS: Step Functions makes each call with the execution role, so the task fails if the role does not allow the call.
Source: https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
Upstream: request as a feature.
"""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from typing import Any, Final

from emulator_fixes import internal, replaces
from emulator_fixes.authorization import role_may

_states: Any = internal("services.stepfunctions")
_responses: Any = internal("core.responses")
_role: contextvars.ContextVar[str] = contextvars.ContextVar("workflow_role", default="")
_TRANSACTED: Final = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
# The error with which a task fails if IAM denies its call. Each key is a service, as the task's `Resource` names it.
_ERRORS: Final = {
    "lambda": "Lambda.AWSLambdaException",
    "dynamodb": "DynamoDB.AccessDeniedException",
    "aws-sdk:dynamodb": "DynamoDb.AccessDeniedException",
    "aws-sdk:sfn": "Sfn.AccessDeniedException",
    "sns": "SNS.AuthorizationErrorException",
    "sqs": "SQS.AccessDeniedException",
    "events": "EventBridge.AccessDeniedException",
}


@replaces("services.stepfunctions._execute_task", "53c818d247db")
def execute_task(original: Any, state: Any, data: Any, execution: Any, context: Any) -> Any:
    """Run a task with the state machine's execution role."""
    machine = _states._state_machines.get(execution["stateMachineArn"]) if execution else None
    token = _role.set(machine["roleArn"] if machine else "")
    try:
        return original(state, data, execution, context)
    finally:
        _role.reset(token)


@replaces("services.stepfunctions._invoke_resource", "a85d2be9a858")
def invoke_resource(original: Any, resource: str, arguments: Any) -> Any:
    """Make the call of a task if the execution role allows it. Otherwise, fail the task.

    `resource` is the task's `Resource`: the ARN of a function or of a service integration.
    """
    role = _role.get()
    for action, target in _needs(resource, arguments if isinstance(arguments, dict) else {}):  # pyright: ignore[reportUnknownArgumentType]
        if role and not role_may(role, action, target):
            raise _states._ExecutionError(
                _ERRORS.get(_service(resource)) or f"{_service(resource)}.AccessDeniedException",
                f"User: {role} is not authorized to perform: {action} on resource: {target}",
            )
    return original(resource, arguments)


def _service(resource: str) -> str:
    if resource.startswith("arn:aws:lambda:"):
        return "lambda"
    name = resource.partition(":::")[2]
    parts = name.split(":")
    return ":".join(parts[:2]) if parts[0] == "aws-sdk" else parts[0]


def _needs(resource: str, arguments: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the permissions that a task's call requires: pairs of an IAM action and the ARN that it applies to.

    `resource` is the task's `Resource`, and `arguments` are the arguments of the call.
    """
    service = _service(resource)
    operation = resource.partition(":::")[2].rpartition(":")[2].partition(".")[0]
    action = f"{operation[:1].upper()}{operation[1:]}"
    if service == "lambda":
        direct = resource.startswith("arn:aws:lambda:")
        yield "lambda:InvokeFunction", resource if direct else _function(str(arguments.get("FunctionName", "")))
    elif service.endswith("dynamodb"):
        yield from _dynamodb(action, arguments)
    elif service == "sns":
        yield "sns:Publish", str(arguments.get("TopicArn") or arguments.get("TargetArn") or "*")
    elif service == "sqs":
        yield "sqs:SendMessage", _arn("sqs", str(arguments.get("QueueUrl", "")).rpartition("/")[2])
    elif service == "events":
        buses = {str(entry.get("EventBusName", "default")).rpartition("/")[2] for entry in arguments["Entries"]}
        yield from (("events:PutEvents", _arn("events", f"event-bus/{bus}")) for bus in sorted(buses))
    elif service == "aws-sdk:sfn":
        yield f"states:{action}", str(arguments.get("StateMachineArn", "*"))
    elif service == "states":
        yield "states:StartExecution", str(arguments.get("StateMachineArn", "*"))
    elif action:
        yield f"{service.rpartition(':')[2]}:{action}", "*"


def _dynamodb(action: str, arguments: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if action in ("TransactWriteItems", "TransactGetItems"):
        for item in arguments.get("TransactItems", []):
            for kind, content in item.items():
                yield f"dynamodb:{_TRANSACTED.get(kind, 'GetItem')}", _table(content["TableName"])
    elif action in ("BatchGetItem", "BatchWriteItem"):
        for name in arguments.get("RequestItems", {}):
            yield f"dynamodb:{action}", _table(name)
    else:
        index = f"/index/{arguments['IndexName']}" if "IndexName" in arguments else ""
        yield f"dynamodb:{action}", _table(str(arguments.get("TableName", ""))) + index


def _table(name: str) -> str:
    return name if name.startswith("arn:") else _arn("dynamodb", f"table/{name}")


def _function(name: str) -> str:
    return name if name.startswith("arn:") else _arn("lambda", f"function:{name}")


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{_responses.get_region()}:{_responses.get_account_id()}:{resource}"
