import time

from tests.local.cloud import Cloud, allow

SLOW = {"Type": "Wait", "Seconds": 30, "Next": "End"}
END = {"Type": "Succeed"}


def test_an_execution_ends_with_its_time(cloud: Cloud) -> None:
    began = time.monotonic()
    ended = cloud.run(cloud.machine({"Slow": SLOW, "End": END}, TimeoutSeconds=1))

    assert ended["status"] == "TIMED_OUT"
    assert ended["error"] == "States.Timeout"
    assert time.monotonic() - began < 3
    history = cloud("stepfunctions", "get_execution_history", executionArn=ended["executionArn"])["events"]
    assert history[-1]["type"] == "ExecutionTimedOut"


def test_a_succeed_state_gives_its_output(cloud: Cloud) -> None:
    ended = cloud.run(cloud.machine({"End": {"Type": "Succeed", "Output": "{% $states.input.a %}"}}), {"a": "b"})

    assert ended["output"] == '"b"'


def test_a_failed_execution_has_an_error_and_no_output(cloud: Cloud) -> None:
    fail = {"Type": "Fail", "Error": "OutOfStock", "Cause": "{% 'no ' & $states.input.what %}"}
    ended = cloud.run(cloud.machine({"Fail": fail}), {"what": "apples"})

    assert (ended["status"], ended["error"], ended["cause"]) == ("FAILED", "OutOfStock", "no apples")
    assert "output" not in ended


def test_the_history_tells_the_steps_inside_branches(cloud: Cloud) -> None:
    inner = {"Inner": {"Type": "Pass", "End": True}}
    both = {"Type": "Parallel", "Branches": [{"StartAt": "Inner", "States": inner}], "End": True}
    ended = cloud.run(cloud.machine({"Both": both}))

    assert cloud.steps(ended["executionArn"]) == ["Both", "Inner"]


def test_a_stopped_execution_takes_no_more_steps(cloud: Cloud) -> None:
    machine = cloud.machine({"Wait": {"Type": "Wait", "Seconds": 1, "Next": "End"}, "End": END})
    execution = cloud("stepfunctions", "start_execution", stateMachineArn=machine, input="{}")["executionArn"]
    time.sleep(0.2)
    cloud("stepfunctions", "stop_execution", executionArn=execution)
    time.sleep(1.2)

    assert cloud.steps(execution) == ["Wait"]


def test_a_task_ends_with_its_time(cloud: Cloud) -> None:
    function = cloud.function("import time\ndef handle(event, context): time.sleep(3)")
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function},
        "TimeoutSeconds": 1,
        "Catch": [{"ErrorEquals": ["States.Timeout"], "Output": "late", "Next": "End"}],
        "End": True,
    }
    began = time.monotonic()
    ended = cloud.run(cloud.machine({"Task": task, "End": END}, allow("lambda:InvokeFunction")))

    assert ended["output"] == '"late"'
    assert time.monotonic() - began < 2.5
