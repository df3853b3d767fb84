import json
import time
from pathlib import Path
from typing import Any

from tests.local.cloud import Cloud, Gate, allow

END = {"Type": "Succeed"}


def branch(**states: Any) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states}


def test_failed_branch_stops_the_other_branches(cloud: Cloud, tmp_path: Path) -> None:
    gate = Gate.closed(cloud, tmp_path)
    both = {
        "Type": "Parallel",
        "Branches": [
            branch(Fail={"Type": "Fail", "Error": "OutOfStock", "Cause": "none"}),
            branch(Slow={**gate.task, "Next": "After"}, After={"Type": "Pass", "End": True}),
        ],
        "Catch": [{"ErrorEquals": ["OutOfStock"], "Output": "{% $states.errorOutput.Error %}", "Next": "End"}],
        "Next": "End",
    }
    ended = cloud.run(cloud.machine({"Both": both, "End": END}, allow("lambda:InvokeFunction")))

    assert ended["output"] == '"OutOfStock"', "the execution must end while the other branch is still running"
    gate.open()
    time.sleep(0.5)
    assert "After" not in cloud.steps(ended["executionArn"])


def test_parallel_state_evaluates_its_fields_arguments_assign_and_output(cloud: Cloud) -> None:
    both = {
        "Type": "Parallel",
        "Arguments": {"n": "{% $states.input.number + 1 %}"},
        "Branches": [
            branch(A={"Type": "Pass", "Output": "{% $states.input.n %}", "End": True}),
            branch(B={"Type": "Pass", "Output": "{% $states.input.n * 2 %}", "End": True}),
        ],
        "Assign": {"both": "{% $states.result %}"},
        "Output": "{% $sum($states.result) %}",
        "Next": "Tell",
    }
    tell = {"Type": "Pass", "Output": {"sum": "{% $states.input %}", "both": "{% $both %}"}, "End": True}
    ended = cloud.run(cloud.machine({"Both": both, "Tell": tell}), {"number": 1})

    assert json.loads(ended["output"]) == {"sum": 6, "both": [2, 4]}


def test_variables_assigned_in_a_branch_stay_in_the_branch(cloud: Cloud) -> None:
    set_x = {"Type": "Pass", "Assign": {"x": 1}, "Next": "Tell"}
    assign = {"Type": "Pass", "Assign": {"y": "{% $x + 1 %}"}, "Next": "Inner"}
    inner = {"Type": "Pass", "Output": "{% $y %}", "End": True}
    both = {"Type": "Parallel", "Branches": [branch(Set=assign, Inner=inner)], "Next": "End"}
    end = {"Type": "Pass", "Output": {"seen": "{% $exists($y) %}", "x": "{% $x %}"}, "End": True}
    ended = cloud.run(cloud.machine({"Start": {**set_x, "Next": "Both"}, "Both": both, "End": end}))

    assert json.loads(ended["output"]) == {"seen": False, "x": 1}
