"""Tests of the GitHub workflows: pinned actions, minimal permissions, no long-lived AWS keys, correct triggers."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from tests.conftest import STACKS
from tests.support.graph import ROOT

FOLDER = ROOT / ".github"
WORKFLOWS = sorted((FOLDER / "workflows").glob("*.yml"))
ACTIONS = sorted((FOLDER / "actions").glob("*/action.yml"))
PINNED = re.compile(r"^[\w.-]+/[\w.-]+@[0-9a-f]{40}$")
STACK_ACTION = "$/.github/actions/stack"
# Only steps that run one of these commands may receive credentials for AWS or for Pulumi's backend.
WITH_CREDENTIALS = (
    "make preview ",
    "make deploy ",
    "make refresh ",
    "make up-pr ",
    "make destroy-pr ",
    "make recover ",
)
OWN_BACKEND = {"PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_DEFAULT_ORGANIZATION"}


def load(path: Path) -> dict[Any, Any]:
    return cast("dict[Any, Any]", yaml.safe_load(path.read_text()))


def triggers(path: Path) -> dict[str, Any]:
    return cast("dict[str, Any]", load(path)[True])  # YAML 1.1 reads the key `on` as the boolean true.


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    return cast("dict[str, dict[str, Any]]", load(path)["jobs"])


def steps(path: Path) -> list[dict[str, Any]]:
    document = load(path)
    if "runs" in document:
        return document["runs"]["steps"]
    return [step for job in document["jobs"].values() for step in job["steps"]]


def named(name: str) -> Path:
    return next(path for path in WORKFLOWS if path.stem == name)


def command_of(job: dict[str, Any], beginning: str) -> dict[str, Any]:
    [step] = [step for step in job["steps"] if beginning in step.get("run", "")]
    return step


@pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_actions_are_pinned_by_commit(path: Path) -> None:
    for step in steps(path):
        if "uses" in step:
            assert PINNED.match(step["uses"]) or step["uses"] == STACK_ACTION, step["uses"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_each_job_has_only_the_permissions_that_it_needs(path: Path) -> None:
    assert load(path)["permissions"] in ({}, {"contents": "read"})
    assert "pull_request_target" not in triggers(path)
    for name, job in jobs(path).items():
        permissions = job.get("permissions", {})
        runs_pulumi = any(step.get("uses") == STACK_ACTION for step in job["steps"])
        assert ("id-token" in permissions) is runs_pulumi, name
        # A job that may write to GitHub must not check out the repository. Otherwise, code of a pull request could use
        # the job's permissions.
        if "write" in {permission for key, permission in permissions.items() if key != "id-token"}:
            assert not any("checkout" in step.get("uses", "") for step in job["steps"]), name


@pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_credentials_are_short_lived_and_reach_only_the_steps_that_need_them(path: Path) -> None:
    text = path.read_text()
    assert set(re.findall(r"secrets\.(\w+)", text)) <= {"PULUMI_CONFIG_PASSPHRASE"}
    for job in load(path).get("jobs", {}).values():
        assert set(job.get("env", {})) <= {"STACK"}
    for step in steps(path):
        secret = [
            name for name, value in step.get("env", {}).items() if "outputs.aws" in value or "access-token" in value
        ]
        secret += [name for name in OWN_BACKEND if name in step.get("env", {})]
        assert not secret or any(command in step["run"] for command in WITH_CREDENTIALS), step


def test_credentials_are_requested_last_and_are_not_exported() -> None:
    [path] = [path for path in ACTIONS if path.parent.name == "stack"]
    uses = [step.get("uses", step.get("run", "")).partition("@")[0] for step in steps(path)]
    assert uses[-2:] == ["pulumi/auth-actions", "aws-actions/configure-aws-credentials"]
    pulumi, aws = [step["with"] for step in steps(path)[-2:]]
    assert pulumi["export-environment-variables"] is False
    assert aws["output-env-credentials"] is False
    assert aws["role-to-assume"]


def test_workflows_cache_only_packages_pulumi_plugins_and_lambda_archives() -> None:
    [path] = [path for path in ACTIONS if path.parent.name == "stack"]
    [cache] = [step["with"] for step in steps(path) if step.get("uses", "").startswith("actions/cache@")]
    assert cache["path"].split() == ["~/.cache/uv", "~/.cache/pip", "~/.pulumi/plugins", ".build"]


def test_workflows_use_the_pulumi_version_of_the_repository() -> None:
    [path] = [path for path in ACTIONS if path.parent.name == "stack"]
    [cli] = [step["with"] for step in steps(path) if step.get("uses", "").startswith("pulumi/actions@")]
    assert cli == {"pulumi-version-file": ".pulumi-version"}
    assert re.fullmatch(r"3\.\d+\.\d+\n", (ROOT / ".pulumi-version").read_text())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_shell_commands_contain_no_text_from_a_pull_request(path: Path) -> None:
    for step in steps(path):
        assert "${{" not in step.get("run", ""), step


def test_pull_request_is_tested_and_gets_a_preview_comment_per_stack() -> None:
    assert "pull_request" in triggers(named("test"))
    preview, comment = jobs(named("preview")).values()
    # The workflow `deploy` updates the stacks dev and prod, so both need a preview. The stack local exists only on
    # emulators, so it needs none.
    assert {"dev", "prod"} <= set(preview["strategy"]["matrix"]["stack"]) <= {*STACKS} - {"local"}
    assert command_of(preview, "tools.preview_comment")
    run = command_of(comment, "gh api")["run"]
    assert "--method PATCH" in run
    assert "--method POST" in run


def test_cancelled_preview_writes_no_comment() -> None:
    preview, comment = jobs(named("preview")).values()
    conditions = [command_of(preview, "tools.preview_comment")["if"], comment["if"]]
    conditions += [step["if"] for step in preview["steps"] if "upload-artifact" in step.get("uses", "")]
    assert all("!cancelled()" in condition and "always()" not in condition for condition in conditions)


def test_pull_request_runs_make_prove_and_shows_the_report() -> None:
    run = [step.get("run", "") for step in jobs(named("test"))["prove"]["steps"]]
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
    condition = jobs(named("preview"))["preview"]["if"]
    assert "head.repo.full_name == github.repository" in condition
    assert "dependabot[bot]" in condition


def test_main_is_deployed_to_dev_and_a_release_to_prod() -> None:
    on = triggers(named("deploy"))
    assert on["push"]["branches"] == ["main"]
    assert on["release"]["types"] == ["released"], "the type `published` would also deploy pre-releases to prod"
    job = jobs(named("deploy"))["deploy"]
    assert job["environment"] == "${{ github.event_name == 'release' && 'prod' || 'dev' }}"
    assert job["env"]["STACK"] == job["environment"]


def test_deployment_runs_after_the_tests_and_applies_the_previewed_plan() -> None:
    test, preview, deploy = (jobs(named("deploy"))[name] for name in ("test", "preview", "deploy"))
    assert command_of(test, ".ci/run")
    assert preview["needs"] == "test"
    assert deploy["needs"] == "preview"
    [saved] = re.findall(r"--save-plan (\S+)\"", command_of(preview, "make preview")["run"])
    update = command_of(deploy, "make deploy")["run"]
    assert f"--plan {saved}" in update
    assert preview["environment"].endswith("-preview")


def test_preview_step_logs_its_output_and_fails_if_the_preview_fails() -> None:
    for name in ("preview", "deploy"):
        step = command_of(jobs(named(name))["preview"], "make preview")
        assert step["run"].rstrip().endswith("| tee preview.json")
        assert step["shell"] == "bash", "the default shell of a workflow does not set pipefail"


def test_updates_do_not_skip_their_preview() -> None:
    for path in [*WORKFLOWS, ROOT / "Makefile"]:
        assert not re.search(r"--skip-preview|pulumi up .*-\w*f\b", path.read_text()), path


@pytest.mark.parametrize(("branch", "code"), [("main", 0), ("other", 1)])
def test_only_commits_on_main_are_released(tmp_path: Path, branch: str, code: int) -> None:
    def run(*command: str, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **variables}
        return subprocess.run(command, cwd=tmp_path, env=environment, check=check, capture_output=True, text=True)  # noqa: S603

    commit = ("git", "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--allow-empty", "--message", "m")
    run("git", "init", "--initial-branch", "main")
    run(*commit)
    run("git", "update-ref", "refs/remotes/origin/main", "HEAD")
    if branch != "main":
        run("git", "checkout", "-b", branch)
        run(*commit)
    head = run("git", "rev-parse", "HEAD").stdout.strip()
    script = command_of(jobs(named("deploy"))["test"], "merge-base")["run"]
    done = run("bash", "-e", "-c", script, check=False, GITHUB_SHA=head, GITHUB_REF_NAME="v1")
    assert done.returncode == code
    assert ("v1 is not on main" in done.stdout) is bool(code)


def test_nightly_drift_comparison_uses_the_read_only_role() -> None:
    assert triggers(named("drift"))["schedule"]
    compare = load(named("drift"))["jobs"]["compare"]
    assert compare["strategy"]["matrix"]["stack"] == ["dev", "prod"]
    assert compare["environment"] == "${{ matrix.stack }}-preview"
    assert "AWS_PREVIEW_ROLE_ARN" in str(compare["steps"])
    assert "AWS_DEPLOY_ROLE_ARN" not in named("drift").read_text()


DRIFT = "stack dev: 1 difference(s); to make AWS match the program"
EQUAL = "stack dev: AWS matches Pulumi's state"


@pytest.mark.parametrize(("said", "code", "fails"), [(DRIFT, 2, False), (EQUAL, 0, False), ("", 2, True)])
def test_drift_job_fails_only_if_the_stack_cannot_be_compared(
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
        (EQUAL, "7", "issue close 7 --comment AWS matches Pulumi's state again."),
        (EQUAL, "", None),
    ],
)
def test_each_stack_has_one_issue_for_its_drift(
    tmp_path: Path, report: str, open_issue: str, called: str | None
) -> None:
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


def test_stack_of_a_closed_pull_request_is_removed_after_running_updates_end(tmp_path: Path) -> None:
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
