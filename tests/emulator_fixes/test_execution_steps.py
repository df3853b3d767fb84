import time
from pathlib import Path

from tests.local.cloud import Cloud, Gate, allow, eventually

SLOW = {"Type": "Wait", "Seconds": 30, "Next": "End"}
END = {"Type": "Succeed"}


def test_execution_ends_at_its_time_limit(impatient: Cloud) -> None:
    ended = impatient.run(impatient.machine({"Slow": SLOW, "End": END}, TimeoutSeconds=1))

    assert ended["status"] == "TIMED_OUT"
    assert ended["error"] == "States.Timeout"
    history = impatient("stepfunctions", "get_execution_history", executionArn=ended["executionArn"])["events"]
    assert history[-1]["type"] == "ExecutionTimedOut"


def test_succeed_state_returns_its_output(cloud: Cloud) -> None:
    ended = cloud.run(cloud.machine({"End": {"Type": "Succeed", "Output": "{% $states.input.a %}"}}), {"a": "b"})

    assert ended["output"] == '"b"'


def test_a_failed_execution_has_an_error_and_no_output(cloud: Cloud) -> None:
    fail = {"Type": "Fail", "Error": "OutOfStock", "Cause": "{% 'no ' & $states.input.what %}"}
    ended = cloud.run(cloud.machine({"Fail": fail}), {"what": "apples"})

    assert (ended["status"], ended["error"], ended["cause"]) == ("FAILED", "OutOfStock", "no apples")
    assert "output" not in ended


def test_history_contains_the_steps_inside_parallel_branches(cloud: Cloud) -> None:
    inner = {"Inner": {"Type": "Pass", "End": True}}
    both = {"Type": "Parallel", "Branches": [{"StartAt": "Inner", "States": inner}], "End": True}
    ended = cloud.run(cloud.machine({"Both": both}))

    assert cloud.steps(ended["executionArn"]) == ["Both", "Inner"]


def test_stopped_execution_enters_no_more_states(cloud: Cloud, tmp_path: Path) -> None:
    gate = Gate.closed(cloud, tmp_path)
    machine = cloud.machine({"Task": {**gate.task, "Next": "End"}, "End": END}, allow("lambda:InvokeFunction"))
    execution = cloud("stepfunctions", "start_execution", stateMachineArn=machine, input="{}")["executionArn"]
    eventually(lambda: cloud.steps(execution))
    cloud("stepfunctions", "stop_execution", executionArn=execution)
    gate.open()
    time.sleep(0.5)

    assert cloud.steps(execution) == ["Task"]


def test_task_ends_at_its_time_limit(impatient: Cloud, tmp_path: Path) -> None:
    gate = Gate.closed(impatient, tmp_path)
    late = {"ErrorEquals": ["States.Timeout"], "Output": "late", "Next": "End"}
    states = {"Task": {**gate.task, "TimeoutSeconds": 1, "Catch": [late], "End": True}, "End": END}

    assert impatient.run(impatient.machine(states, allow("lambda:InvokeFunction")))["output"] == '"late"'
    gate.open()
