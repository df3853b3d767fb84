"""A repeated StartExecution call with the same input succeeds while the execution is running.

Emulator: A second StartExecution call with the same name always fails with ExecutionAlreadyExists.
AWS: If the execution with this name is running and has the same input, the call succeeds and returns the response of
    the first call. If the execution has ended or has another input, the call fails with ExecutionAlreadyExists.
Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
Upstream: report as a bug.
"""

from __future__ import annotations

from typing import Any

from emulator_fixes import internal, replaces

_states: Any = internal("services.stepfunctions")
_responses: Any = internal("core.responses")


@replaces("services.stepfunctions._start_execution", "9923282fc76c")
def start(original: Any, request: Any) -> Any:
    """Start an execution, or return the response of the earlier call if the same execution is still running."""
    machine = _states._state_machines.get(_states._resolve_state_machine_arn(request.get("stateMachineArn", "")))
    if machine and machine.get("type") == "STANDARD" and (name := request.get("name")):
        arn = f"arn:aws:states:{_states.get_region()}:{_states.get_account_id()}:execution:{machine['name']}:{name}"
        running = _states._executions.get(arn)
        if running and running["status"] == "RUNNING" and running["input"] == request.get("input", "{}"):
            return _responses.json_response({"executionArn": arn, "startDate": running["startDate"]})
    return original(request)
