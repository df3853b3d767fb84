"""Tests of the GitHub workflows: pinned actions, minimal permissions, no long-lived AWS keys, correct triggers."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from tests.support.graph import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"^[\w.-]+/[\w.-]+@[0-9a-f]{40}$")
# These actions are used by version, because the commits of their releases are not known here. The workflow explains
# this.
BY_VERSION = {"pulumi/actions@v6"}


def load(path: Path) -> dict[Any, Any]:
    return cast("dict[Any, Any]", yaml.safe_load(path.read_text()))


def triggers(path: Path) -> dict[str, Any]:
    return cast("dict[str, Any]", load(path)[True])  # YAML 1.1 reads the key `on` as true.


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in load(path)["jobs"].values() for step in job["steps"]]


def named(name: str) -> Path:
    return next(path for path in WORKFLOWS if path.stem == name)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_commit_or_by_version_with_a_note(path: Path) -> None:
    for step in steps(path):
        if "uses" in step:
            local = step["uses"].startswith("$/.github/actions/")
            assert local or PINNED.match(step["uses"]) or step["uses"] in BY_VERSION, step["uses"]
    for action in BY_VERSION:
        for before, line in zip(path.read_text().splitlines(), path.read_text().splitlines()[1:], strict=False):
            if action in line:
                assert "used by version" in before


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflow_has_minimal_permissions_and_no_long_lived_aws_key(path: Path) -> None:
    text = path.read_text()
    assert load(path)["permissions"].get("contents", "read") == "read"
    assert "secrets.AWS" not in text
    assert "pull_request_target" not in triggers(path)
    for step in steps(path):
        if "configure-aws-credentials" in step.get("uses", ""):
            assert "role-to-assume" in step["with"]
            assert load(path)["permissions"]["id-token"] == "write"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_shell_commands_contain_no_text_from_a_pull_request(path: Path) -> None:
    for step in steps(path):
        assert "${{" not in step.get("run", ""), step


def test_pull_request_is_tested_and_gets_a_preview_comment_per_stack() -> None:
    assert "pull_request" in triggers(named("test"))
    preview = load(named("preview"))["jobs"]["preview"]
    assert preview["strategy"]["matrix"]["stack"] == ["dev", "prod"]
    comment = next(step["run"] for step in preview["steps"] if step.get("name") == "comment")
    assert "operations.preview_comment" in comment
    assert "--method PATCH" in comment
    assert "--method POST" in comment


def test_pull_request_runs_make_prove_and_shows_the_report() -> None:
    run = [step.get("run", "") for step in load(named("test"))["jobs"]["prove"]["steps"]]
    assert "make prove" in run
    assert "GITHUB_STEP_SUMMARY" in run[-1]


def test_preview_and_deploy_enforce_the_policy_pack() -> None:
    for workflow, target in (("preview", "preview"), ("deploy", "deploy")):
        assert any(f"make {target} " in step.get("run", "") for step in steps(named(workflow)))
    for stack, config in (
        ("dev", " --policy-pack-config policy/enforcement/dev.json"),
        ("pr-12", " --policy-pack-config policy/enforcement/pr.json"),
        ("another", ""),
    ):
        for target in ("preview", "deploy"):
            command = ["make", "--dry-run", target, f"STACK=acme/orders/{stack}"]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
            (line,) = [line for line in done.stdout.splitlines() if line.startswith("pulumi ")]
            assert f"--policy-pack policy{config}" in line
            assert ("--policy-pack-config" in line) is bool(config)


def test_pull_request_without_access_to_secrets_gets_no_preview() -> None:
    condition = load(named("preview"))["jobs"]["preview"]["if"]
    assert "head.repo.full_name == github.repository" in condition
    assert "dependabot[bot]" in condition


def test_main_is_deployed_to_dev_and_a_release_to_prod() -> None:
    on = triggers(named("deploy"))
    assert on["push"]["branches"] == ["main"]
    assert on["release"]["types"] == ["released"], "the type `published` would also deploy pre-releases to prod"
    job = load(named("deploy"))["jobs"]["deploy"]
    assert job["environment"] == "${{ github.event_name == 'release' && 'prod' || 'dev' }}"
    assert job["env"]["STACK"] == job["environment"]


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
