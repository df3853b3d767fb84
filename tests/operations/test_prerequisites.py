"""Tests of the checks that run before `make preview` and `make deploy`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from operations import prerequisites, stack_outputs
from tests.support.graph import ROOT


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory on the PATH. It is empty at first."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def pulumi(path: Path, *, fails: str = "nothing") -> None:
    script = path / "pulumi"
    script.write_text(f'#!/bin/sh\ncase "$*" in *{fails}*) exit 1;; esac\nexit 0\n')
    script.chmod(0o755)


@pytest.fixture(autouse=True)
def _no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS calls fail at once, because no program listens on the port."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


def test_all_problems_are_reported_at_once_with_remedies(path: Path) -> None:
    del path
    said = "\n".join(prerequisites.problems("staging"))
    assert "Pulumi.staging.yaml is missing; stacks with a file: dev, local, prod" in said
    assert "https://www.pulumi.com/docs/install/" in said
    assert "AWS credentials" in said


@pytest.mark.parametrize(("fails", "said"), [("whoami", "pulumi login"), ("select", "pulumi stack init dev")])
def test_missing_login_or_stack_is_reported(path: Path, fails: str, said: str) -> None:
    pulumi(path, fails=fails)
    assert any(said in problem for problem in prerequisites.problems("dev"))


def test_fulfilled_prerequisites_are_not_reported(path: Path) -> None:
    pulumi(path)
    assert [problem for problem in prerequisites.problems("dev") if "AWS credentials" not in problem] == []


def test_organization_in_the_stack_name_does_not_change_its_file(path: Path) -> None:
    pulumi(path)
    assert [problem for problem in prerequisites.problems("acme/dev") if "is missing" in problem] == []


@pytest.mark.parametrize(("quota", "enough"), [(10, False), (109, False), (110, True), (1000, True)])
def test_too_small_concurrency_quota_is_reported(quota: int, enough: bool) -> None:
    config = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())["config"]
    said = prerequisites.too_few_environments(config, quota)
    assert bool(said) is not enough
    assert all("required: 10 for provisioned concurrency and 100" in line for line in said)


def test_stack_without_provisioned_concurrency_needs_no_quota() -> None:
    config = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]
    assert prerequisites.too_few_environments(config, 10) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("confg:\n  aws:region: eu-central-1\n", "Pulumi.dev.yaml: got confg; required: a key `config`"),
        ("config: [1]\n", "Pulumi.dev.yaml: got config; required: a key `config`"),
        ("", "Pulumi.dev.yaml: got nothing; required: a key `config`"),
        ("config:\n  orders:mail: {}\n", "aws:region: got nothing; required: an AWS region; run `pulumi config set"),
        ("config:\n  aws:region: 7\n", "aws:region: got 7; required: an AWS region"),
        ("config: {\n", "Pulumi.dev.yaml:2: invalid YAML: "),
        ("config:\n  aws:region: 2026-01-01\n", "Pulumi.dev.yaml:2: aws:region: got 2026-01-01; allowed: "),
        ("- 1\n", "Pulumi.dev.yaml: got a list; allowed: a mapping"),
    ],
)
def test_invalid_stack_file_is_reported_and_no_region_is_assumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, said: str
) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text(content)
    monkeypatch.setattr(stack_outputs, "ROOT", tmp_path)
    problems = prerequisites.problems("dev")
    assert said in problems[0]
    assert "Traceback" not in problems[0]
    assert not [problem for problem in problems if "us-east-1.lambda" in problem or "quota" in problem]


def test_invalid_configuration_does_not_fail_the_quota_check() -> None:
    for functions in ("none", {"provisionedConcurrency": 5}, {"provisionedConcurrency": {"users_api": "2"}}):
        assert prerequisites.too_few_environments({"orders:functions": functions}, 10) == []


def test_local_stack_is_refused_with_make_up_as_the_remedy() -> None:
    assert prerequisites.problems("local") == ["STACK=local runs on this machine's emulator, not on AWS; use `make up`"]


def test_command_fails_and_prints_each_problem_on_its_own_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "operations.prerequisites", "local"],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("missing: STACK=local")
    assert "Traceback" not in done.stderr
