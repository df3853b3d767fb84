"""Tests that no stack takes over, changes or deletes resources of another stack in the same account."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from tests.engine.engine import Engine


@pytest.mark.full
def test_stacks_of_pull_requests_can_exist_beside_dev_and_prod(deployed: Callable[[str], Engine]) -> None:
    engine = deployed("dev")
    engine.must("stack", "select", "dev")
    # Only one stack may set the log role of an account, and dev already does (docs/decisions/09-account-log-role.md).
    settings = engine.checkout / "Pulumi.prod.yaml"
    settings.write_text(settings.read_text().replace("ownsAccountLogRole: true", "ownsAccountLogRole: false"))
    engine.must("stack", "init", "prod", "--no-select")
    engine.must_up("prod")
    numbers = ["1", "2", "3"]
    for number in numbers:
        prepared = engine.operation("pull_request_stack", "prepare", number)
        assert prepared.code == 0, prepared.said
        engine.must_up(f"pr-{number}")
    assert engine.differences() == []
    # Prepare the stack of the first pull request again. The command finds the existing stack, prints nothing, and
    # leaves `dev` as the selected stack.
    again = engine.operation("pull_request_stack", "prepare", numbers[0])
    assert (again.code, again.said) == (0, "")
    assert engine.must("stack", "--show-name").out.strip() == "dev"

    outputs = json.loads(engine.operation("pull_request_stack", "outputs", numbers[0]).out)
    assert outputs["stage"] == "pr-1"
    comment = engine.checkout / ".build" / "pull-request-comment.md"
    assert comment.read_text().startswith("<!-- stack pr-1 -->\n**Stack `pr-1`** runs this pull request.")
    assert json.loads(comment.read_text().split("```json")[1].split("```")[0]) == outputs

    for number in numbers:
        removed = engine.operation("pull_request_stack", "remove", number)
        assert removed.code == 0, removed.said
        assert not (engine.checkout / f"Pulumi.pr-{number}.yaml").exists()
        assert comment.read_text().startswith(f"<!-- stack pr-{number} -->\n**Stack `pr-{number}`** is removed")
        missing = engine.operation("pull_request_stack", "remove", number)
        assert (missing.code, missing.out) == (0, f"stack pr-{number} does not exist; nothing to remove\n")
    assert engine.differences() == []
    with engine.cloud.locked() as things:
        left = {thing["urn"].split("::")[0].removeprefix("urn:pulumi:") for thing in things.values()}
    assert left == {"dev", "prod"}
    for stack in ("dev", "prod"):
        engine.must("preview", "--stack", stack, "--expect-no-changes")


@pytest.mark.full
def test_stack_of_a_pull_request_closed_during_its_first_update_is_removed(deployed: Callable[[str], Engine]) -> None:
    """If the killed update leaves resources whose ids AWS chose, the test runs `make recover` with these ids."""
    engine = deployed("dev")
    assert engine.operation("pull_request_stack", "prepare", "1").code == 0
    engine.killed_at(30, "up", "--stack", "pr-1", "--yes", "--skip-preview")
    removed = engine.operation("pull_request_stack", "remove", "1")
    if removed.code:
        wanted = re.findall(r"([\w-]+)=ID", removed.out)
        assert wanted, removed.said
        with engine.cloud.locked() as things:
            ids = {
                thing["urn"].rsplit("::", 1)[-1]: thing["id"] for thing in things.values() if ":pr-1::" in thing["urn"]
            }
        given = [f"{name}={ids.get(name, 'none')}" for name in wanted]
        recovered = engine.operation("recover", "pr-1", "--ids", *given)
        assert recovered.code == 0, recovered.said
        removed = engine.operation("pull_request_stack", "remove", "1")
    assert removed.code == 0, removed.said
    assert engine.differences() == []
