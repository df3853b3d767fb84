"""The workflows that compare stacks every night, and that give pull requests stacks of their own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.rules.test_github_workflows import load, named, steps, triggers


def test_drift_is_compared_every_night_with_a_role_that_may_only_read() -> None:
    assert triggers(named("drift"))["schedule"]
    compare = load(named("drift"))["jobs"]["compare"]
    assert compare["strategy"]["matrix"]["stack"] == ["dev", "prod"]
    assert compare["environment"] == "${{ matrix.stack }}-preview"
    assert "AWS_PREVIEW_ROLE_ARN" in str(compare["steps"])
    assert "AWS_DEPLOY_ROLE_ARN" not in named("drift").read_text()


DRIFT = "stack dev: 1 difference(s); to set AWS back"
EQUAL = "stack dev: AWS is as Pulumi's state says"


@pytest.mark.parametrize(("said", "code", "fails"), [(DRIFT, 2, False), (EQUAL, 0, False), ("", 2, True)])
def test_drift_fails_its_job_only_if_the_stack_cannot_be_compared(
    tmp_path: Path, said: str, code: int, fails: bool
) -> None:
    script = next(step["run"] for step in steps(named("drift")) if step.get("name") == "compare")
    make = f'make() {{ echo "{said}"; return {code}; }}; '
    variables = {"PATH": os.defpath, "STACK": "dev"}
    command = ["/bin/bash", "-e", "-c", make + script]
    done = subprocess.run(command, cwd=tmp_path, env=variables, check=False, capture_output=True)  # noqa: S603
    assert bool(done.returncode) is fails


@pytest.mark.parametrize(
    ("report", "open_issue", "called"),
    [
        (DRIFT, "", "issue create --title Drift of stack dev --body-file issue.md"),
        (DRIFT, "7", "issue edit 7 --body-file issue.md"),
        (EQUAL, "7", "issue close 7 --comment AWS is as Pulumi's state says again."),
        (EQUAL, "", None),
    ],
)
def test_drift_of_a_stack_has_one_issue(tmp_path: Path, report: str, open_issue: str, called: str | None) -> None:
    script = next(step["run"] for step in steps(named("drift")) if "gh issue" in step.get("run", ""))
    (tmp_path / "gh").write_text(
        f'#!/bin/sh\ncase "$2" in list) echo {open_issue};; *) echo "$*" >> {tmp_path}/calls;; esac\n'
    )
    (tmp_path / "gh").chmod(0o755)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "dev.txt").write_text(f"{report}\n")
    variables = {"PATH": f"{tmp_path}:{os.defpath}", "RUN": "https://example.com"}
    subprocess.run(["/bin/bash", "-e", "-c", script], cwd=tmp_path, env=variables, check=True)  # noqa: S603
    calls = tmp_path / "calls"
    assert (calls.read_text().splitlines() if calls.exists() else []) == ([called] if called else [])
    assert report in (tmp_path / "issue.md").read_text()


def test_closed_pull_request_removes_its_stack_after_a_running_update(tmp_path: Path) -> None:
    workflow = load(named("pull-request-stack"))
    assert "closed" in triggers(named("pull-request-stack"))["pull_request"]["types"]
    assert workflow["concurrency"]["group"] == "pull-request-stack-${{ github.event.pull_request.number }}"
    assert workflow["concurrency"]["cancel-in-progress"] is False
    script = next(step["run"] for step in steps(named("pull-request-stack")) if "make up-pr" in step.get("run", ""))
    for closed, target in (("true", "destroy-pr PR=12"), ("false", "up-pr PR=12 PULUMI_UP_FLAGS=--non-interactive")):
        folder = tmp_path / closed
        folder.mkdir()
        make = 'make() { echo "make $*"; mkdir .build; echo text > .build/pull-request-comment.md; }; '
        variables = {"PATH": os.defpath, "PR": "12", "CLOSED": closed}
        command = ["/bin/bash", "-e", "-c", make + script]
        done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=True)  # noqa: S603
        assert done.stdout.splitlines() == [f"make {target}"]
        assert (folder / "comment" / "pull-request-comment.md").read_text() == "text\n"
