import json

import pytest

from local.aws import CallError
from tests.local.cloud import Cloud

FAIL = {"Fail": {"Type": "Fail", "Error": "OutOfStock", "Cause": "none left"}}


def start(cloud: Cloud, machine: str, given: str = "{}") -> dict[str, object]:
    return cloud("stepfunctions", "start_sync_execution", stateMachineArn=machine, input=given)


def test_failed_execution_returns_its_error_and_no_output(cloud: Cloud) -> None:
    answer = start(cloud, cloud.machine(FAIL, express=True))

    assert (answer["status"], answer["error"], answer["cause"]) == ("FAILED", "OutOfStock", "none left")
    assert "output" not in answer


def test_timed_out_execution_returns_its_status_and_error(impatient: Cloud) -> None:
    slow = {"Wait": {"Type": "Wait", "Seconds": 9, "End": True}}
    answer = start(impatient, impatient.machine(slow, express=True, TimeoutSeconds=1))

    assert (answer["status"], answer["error"]) == ("TIMED_OUT", "States.Timeout")


def test_successful_execution_returns_its_output(cloud: Cloud) -> None:
    echo = {"Echo": {"Type": "Pass", "End": True}}
    answer = start(cloud, cloud.machine(echo, express=True), json.dumps({"a": "ü"}))

    assert json.loads(str(answer["output"])) == {"a": "ü"}


def test_standard_state_machine_refuses_synchronous_executions(cloud: Cloud) -> None:
    with pytest.raises(CallError, match="StateMachineTypeNotSupported"):
        start(cloud, cloud.machine(FAIL))


def test_execution_input_that_is_not_json_is_refused(cloud: Cloud) -> None:
    with pytest.raises(CallError, match="InvalidExecutionInput"):
        start(cloud, cloud.machine(FAIL, express=True), "{")
