from typing import Any

import pytest

from local.aws import CallError
from tests.local.cloud import Cloud, eventually

WAIT = {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}
FAIL = {"Fail": {"Type": "Fail", "Error": "OutOfStock"}}


def start(cloud: Cloud, machine: str, given: str = "{}") -> dict[str, Any]:
    return cloud("stepfunctions", "start_execution", stateMachineArn=machine, name="order-1", input=given)


def test_repeated_start_of_a_running_execution_returns_the_first_response(cloud: Cloud) -> None:
    machine = cloud.machine(WAIT)
    first = start(cloud, machine)

    second = start(cloud, machine)

    assert (second["executionArn"], second["startDate"]) == (first["executionArn"], first["startDate"])
    with pytest.raises(CallError, match="ExecutionAlreadyExists"):
        start(cloud, machine, '{"other": 1}')
    cloud("stepfunctions", "stop_execution", executionArn=first["executionArn"])


def test_name_of_an_ended_execution_cannot_be_used_again(cloud: Cloud) -> None:
    machine = cloud.machine(FAIL)
    arn = start(cloud, machine)["executionArn"]
    eventually(lambda: cloud("stepfunctions", "describe_execution", executionArn=arn)["status"] == "FAILED")

    with pytest.raises(CallError, match="ExecutionAlreadyExists"):
        start(cloud, machine)
