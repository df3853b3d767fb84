"""Finds the AWS calls in a state machine's definition (Amazon States Language with JSONata).

The AWS Step Functions Developer Guide lists the permissions that each integration needs ("IAM policies for integrated
services").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.support.graph import ACCOUNT, REGION

_INTEGRATION: Final = "arn:aws:states:::"
# Choice rules with this condition lead to states that only executions of synchronous orders reach.
_SYNCHRONOUS: Final = "$synchronous"


def calls(definition: Mapping[str, Any], *, synchronous: bool) -> set[tuple[str, str]]:
    """Return (action, resource) for each AWS call that an execution can make.

    Raises ValueError for an unknown integration.
    """
    return {call for state in _entered(definition, synchronous=synchronous) for call in _of(state)}


def _entered(definition: Mapping[str, Any], *, synchronous: bool) -> Iterator[Mapping[str, Any]]:
    """Yield all states that an execution can reach.

    Without `synchronous`, leave out the states that only executions of synchronous orders reach.
    """
    states: Mapping[str, Mapping[str, Any]] = definition["States"]
    left, seen = [definition["StartAt"]], set[str]()
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        state = states[name]
        yield state
        for branch in state.get("Branches", []):
            yield from _entered(branch, synchronous=synchronous)
        left += [state[key] for key in ("Next", "Default") if key in state]
        left += [caught["Next"] for caught in state.get("Catch", [])]
        left += [choice["Next"] for choice in state.get("Choices", []) if synchronous or not _is_synchronous(choice)]


def _is_synchronous(choice: Mapping[str, Any]) -> bool:
    words = str(choice["Condition"]).removeprefix("{%").removesuffix("%}").split()
    return words[0] == _SYNCHRONOUS and (len(words) == 1 or words[1] == "and")


def _of(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if state["Type"] != "Task":
        return
    integration = str(state["Resource"]).removeprefix(_INTEGRATION)
    given: Mapping[str, Any] = state["Arguments"]
    if integration == "lambda:invoke":
        yield "lambda:InvokeFunction", given["FunctionName"]
    elif integration == "sns:publish":
        yield "sns:Publish", given["TopicArn"]
    elif integration in ("dynamodb:putItem", "dynamodb:updateItem", "dynamodb:getItem"):
        operation = integration.partition(":")[2]
        yield f"dynamodb:{operation[0].upper()}{operation[1:]}", _table(given["TableName"])
    elif integration == "aws-sdk:sfn:startSyncExecution":
        yield "states:StartSyncExecution", given["StateMachineArn"]
    elif integration == "aws-sdk:dynamodb:batchGetItem":
        yield from (("dynamodb:BatchGetItem", _table(name)) for name in given["RequestItems"])
    else:
        raise ValueError(f"integration {integration}: add its permission to tests/proof/least_privilege/workflow.py")


def _table(name: str) -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"
