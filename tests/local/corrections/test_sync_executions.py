import json

import pytest

from local.aws import CallError
from tests.local.cloud import Cloud

FAIL = {"Fail": {"Type": "Fail", "Error": "OutOfStock", "Cause": "none left"}}


def start(cloud: Cloud, machine: str, given: str = "{}") -> dict[str, object]:
    return cloud("stepfunctions", "start_sync_execution", stateMachineArn=machine, input=given)


def test_a_failed_execution_answers_its_error_and_no_output(cloud: Cloud) -> None:
    answer = start(cloud, cloud.machine(FAIL, express=True))

    assert (answer["status"], answer["error"], answer["cause"]) == ("FAILED", "OutOfStock", "none left")
    assert "output" not in answer


def test_an_execution_that_takes_too_long_answers_that(impatient: Cloud) -> None:
    slow = {"Wait": {"Type": "Wait", "Seconds": 9, "End": True}}
    answer = start(impatient, impatient.machine(slow, express=True, TimeoutSeconds=1))

    assert (answer["status"], answer["error"]) == ("TIMED_OUT", "States.Timeout")


def test_an_execution_that_succeeds_answers_its_output(cloud: Cloud) -> None:
    echo = {"Echo": {"Type": "Pass", "End": True}}
    answer = start(cloud, cloud.machine(echo, express=True), json.dumps({"a": "ü"}))

    assert json.loads(str(answer["output"])) == {"a": "ü"}


def test_a_standard_machine_has_no_synchronous_executions(cloud: Cloud) -> None:
    with pytest.raises(CallError, match="StateMachineTypeNotSupported"):
        start(cloud, cloud.machine(FAIL))


def test_input_that_is_not_json_is_refused(cloud: Cloud) -> None:
    with pytest.raises(CallError, match="InvalidExecutionInput"):
        start(cloud, cloud.machine(FAIL, express=True), "{")
