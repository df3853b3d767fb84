"""StartSyncExecution returns the same responses as on AWS.

Emulator: StartSyncExecution also accepts STANDARD state machines and invalid JSON input. The emulator returns an output
    for a failed execution, and returns the error only for some of the failures.
AWS: StartSyncExecution accepts only EXPRESS state machines and valid JSON input. The response for a failed execution
    always contains the error, and never an output.
Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartSyncExecution.html
Upstream: report as a bug.
"""

from __future__ import annotations

import json
from typing import Any

from emulator_fixes import internal, replaces

_states: Any = internal("services.stepfunctions")
_responses: Any = internal("core.responses")


@replaces("services.stepfunctions._start_sync_execution", "8600470a0208")
def start_sync_execution(original: Any, request: Any) -> Any:
    """Run an EXPRESS execution, and respond with its status and its output or error."""
    machine = _states._state_machines.get(request.get("stateMachineArn", ""))
    if machine and machine["type"] != "EXPRESS":
        message = "This operation is not supported by this type of state machine"
        return _responses.error_response_json("StateMachineTypeNotSupported", message, 400)
    try:
        json.loads(request.get("input", "{}"))
    except ValueError as error:
        return _responses.error_response_json("InvalidExecutionInput", f"Invalid JSON: {error}", 400)
    status, headers, body = original(request)
    if status != 200:  # noqa: PLR2004
        return status, headers, body
    answer: dict[str, Any] = json.loads(body)
    if answer["status"] != "SUCCEEDED":
        execution = _states._executions[answer["executionArn"]]
        answer.pop("output", None)
        answer.update({key: execution[key] for key in ("error", "cause") if execution.get(key) is not None})
    return _responses.json_response(answer)
