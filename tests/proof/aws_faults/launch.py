"""Starts the emulator with fault injection: `python -m tests.proof.aws_faults.launch --home HOME`.

It starts the emulator as local.launch does, with two additions. First, each workflow step asks the fault proxy whether
it must fail, because steps call AWS inside the emulator and not through the proxy. Second, each execution environment
adds its number to the user agent of its AWS calls, so that the proxy can kill that environment's process.

Environment variables: FAULTS_PROXY is the proxy's URL. FAULTS_ENVIRONMENTS is the directory with one file for each
execution environment. Each file contains the environment's process id.
"""

from __future__ import annotations

import contextvars
import importlib
import json
import os
import time
import urllib.request
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import emulator_fixes
from emulator_fixes import environments, internal
from emulator_fixes.workflow_stop import StoppedError
from local import launch
from tests.proof.aws_faults.plan import Fault
from tests.proof.aws_faults.proxy import STEP_PATH, step_fault

# Maximum number of execution environments of a function. A slow call occupies one environment, so this number must be
# high enough for all other concurrent invocations.
_ENVIRONMENTS_OF_A_FUNCTION: Final = 12
_task: contextvars.ContextVar[tuple[Any, str, float]] = contextvars.ContextVar("task")
_THROTTLED, _SERVER_ERROR, _RESET, _LOST = range(4)
# Names of the errors that Step Functions reports for each service integration. They are in this sequence: for a
# throttled call, a service error, a connection error and a missing response.
_ERRORS: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "lambda": (
        "Lambda.TooManyRequestsException",
        "Lambda.ServiceException",
        "Lambda.SdkClientException",
        "Lambda.ClientExecutionTimeoutException",
    ),
    "dynamodb": (
        "DynamoDB.ProvisionedThroughputExceededException",
        "DynamoDB.AmazonDynamoDBException",
        "DynamoDB.SdkClientException",
        "DynamoDB.SdkClientException",
    ),
    "aws-sdk:dynamodb": (
        "DynamoDb.ThrottlingException",
        "DynamoDb.DynamoDbException",
        "DynamoDb.SdkClientException",
        "DynamoDb.SdkClientException",
    ),
    "aws-sdk:sfn": ("Sfn.SfnException", "Sfn.SfnException", "Sfn.SdkClientException", "Sfn.SdkClientException"),
    "sns": ("SNS.ThrottledException", "SNS.AmazonSNSException", "SNS.SdkClientException", "SNS.SdkClientException"),
}


def main() -> None:
    """Start the emulator with its corrections and the fault injection."""
    apply = emulator_fixes.apply

    def apply_all(**named: Any) -> None:
        apply(**named)
        environments.PLACES = _ENVIRONMENTS_OF_A_FUNCTION  # pyright: ignore[reportAttributeAccessIssue]
        _let_environments_say_who_they_are()
        _let_workflows_ask()

    emulator_fixes.apply = apply_all
    launch.main()


def _let_environments_say_who_they_are() -> None:
    functions, runtime = internal("services.lambda_svc"), internal("core.lambda_runtime")
    directory = Path(os.environ["FAULTS_ENVIRONMENTS"])
    environment_of, spawn = functions._provided_worker_env, runtime.ProvidedWorker._spawn

    def named(config: Any, code: str, port: int) -> dict[str, str]:
        return {**environment_of(config, code, port), "AWS_SDK_UA_APP_ID": f"{config['FunctionName']}.{port}"}

    def spawned(worker: Any, *arguments: Any, **keywords: Any) -> None:
        spawn(worker, *arguments, **keywords)
        (directory / str(worker._server.server_address[1])).write_text(str(worker._proc.pid))

    functions._provided_worker_env, runtime.ProvidedWorker._spawn = named, spawned


def _let_workflows_ask() -> None:
    states = internal("services.stepfunctions")
    execute, invoke = states._execute_task, states._invoke_resource

    def execute_task(state: Any, data: Any, execution: Any, context: Any) -> Any:
        _task.set((execution, context["State"]["Name"], float(state["TimeoutSeconds"])))
        return execute(state, data, execution, context)

    def invoke_resource(resource: str, arguments: Any) -> Any:
        execution, state, timeout_s = _task.get()
        integration = resource.removeprefix("arn:aws:states:::")
        fault = _ask(execution, f"{state} ({integration})", arguments)
        if fault is None:
            return invoke(resource, arguments)
        _before(fault, execution, integration, timeout_s)
        answer = invoke(resource, arguments)
        _after(fault, execution, integration)
        return answer

    states._execute_task, states._invoke_resource = execute_task, invoke_resource


def _ask(execution: Any, operation: str, arguments: Any) -> Fault | None:
    workflow = "express" if execution["stateMachineArn"].endswith("-express") else "standard"
    asked = {
        "workflow": workflow,
        "operation": operation,
        "call_id": str(uuid.uuid4()),
        "text": json.dumps(arguments),
    }
    request = urllib.request.Request(  # noqa: S310 - the test's proxy only opens http
        os.environ["FAULTS_PROXY"] + STEP_PATH, json.dumps(asked).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        return step_fault(answer.read().decode())


def _before(fault: Fault, execution: Any, integration: str, timeout_s: float) -> None:
    """Apply `fault` if it is of a kind that occurs before the call.

    If the fault prevents the call, raise the error that Step Functions would get from the call.
    """
    states, names = internal("services.stepfunctions"), _ERRORS[integration.rpartition(":")[0]]
    match fault.kind:
        case "throttled":
            raise states._ExecutionError(names[_THROTTLED], "planned by a test")
        case "server error":
            raise states._ExecutionError(names[_SERVER_ERROR], "planned by a test")
        case "connection reset":
            raise states._ExecutionError(names[_RESET], "planned by a test")
        case "killed before":
            raise states._ExecutionError("Runtime.ExitError", "{}")
        case "refused":
            raise states._ExecutionError("States.Permissions", "planned by a test")
        case "too slow":
            time.sleep(timeout_s + 1)
        case "delayed":
            time.sleep(timeout_s / 2)
        case "aborted":
            states._stop_execution({"executionArn": execution["executionArn"], "cause": "planned by a test"})
            raise StoppedError
        case "died":
            states._fail_execution(execution, "States.Runtime", "planned by a test")
            raise StoppedError
        case _:
            pass


def _after(fault: Fault, execution: Any, integration: str) -> None:
    """Apply `fault` if it is of a kind that occurs after the call. Raise an error if the call's response is lost."""
    if fault.kind == "answer lost":
        name = _ERRORS[integration.rpartition(":")[0]][_LOST]
        raise internal("services.stepfunctions")._ExecutionError(name, "planned by a test")
    if fault.kind == "timed out":
        steps: Any = importlib.import_module("emulator_fixes.execution_steps")
        steps._end(execution, "TIMED_OUT", "ExecutionTimedOut", error="States.Timeout", cause="")
        raise StoppedError


if __name__ == "__main__":
    main()
