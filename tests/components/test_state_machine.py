"""Tests of the module that reads a workflow definition and fills in its placeholders."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.workflow import state_machine

DEFINITION: dict[str, Any] = {
    "StartAt": "Read",
    "States": {
        "Read": {
            "Type": "Task",
            "Arguments": {"Items": {"${table}": {"Keys": ["${key}", "{% $unread.{'id': $} %}"]}}},
            "TimeoutSeconds": 2,
            "Next": "Both",
        },
        "Both": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "Slow", "States": {"Slow": {"Type": "Task", "TimeoutSeconds": 7, "End": True}}},
                {"StartAt": "Fast", "States": {"Fast": {"Type": "Task", "TimeoutSeconds": 1, "End": True}}},
            ],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Undo"}],
            "Next": "Done",
        },
        "Undo": {"Type": "Task", "TimeoutSeconds": 5, "Next": "Read"},
        "Done": {"Type": "Fail", "Error": "Gone"},
    },
}
VALUES = {"table": 'ta"ble', "key": "k"}


def test_placeholders_are_replaced_in_values_and_keys() -> None:
    filled = json.loads(state_machine.render(DEFINITION, VALUES, timeout_s=9))
    assert filled["States"]["Read"]["Arguments"] == {"Items": {'ta"ble': {"Keys": ["k", "{% $unread.{'id': $} %}"]}}}
    assert filled["TimeoutSeconds"] == 9


def test_render_does_not_change_the_original_definition() -> None:
    before = json.dumps(DEFINITION)
    state_machine.render(DEFINITION, VALUES, timeout_s=9)
    assert json.dumps(DEFINITION) == before


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"table": "t"}, r"missing values \['key'\], unused values \[\]"),
        ({**VALUES, "tabel": "t"}, r"missing values \[\], unused values \['tabel'\]"),
    ],
)
def test_missing_and_unused_placeholder_values_are_refused(values: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        state_machine.render(DEFINITION, values, timeout_s=9)


def test_states_inside_parallel_branches_are_found() -> None:
    assert [name for name, _ in state_machine.states(DEFINITION)] == ["Read", "Both", "Slow", "Fast", "Undo", "Done"]
    assert [name for name, _ in state_machine.tasks(DEFINITION)] == ["Read", "Slow", "Fast", "Undo"]
    assert state_machine.task_timeout_s(DEFINITION, "Slow") == 7


def test_longest_path_counts_the_slowest_branch_and_no_state_twice() -> None:
    assert state_machine.longest_way_s(DEFINITION) == 2 + 7 + 5


def test_fail_errors_returns_the_error_of_each_fail_state() -> None:
    assert state_machine.fail_errors(DEFINITION) == {"Done": "Gone"}
