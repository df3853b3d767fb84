"""Tests of the checks that run before `make preview` and `make deploy`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.exceptions import ClientError

from operations import account, prerequisites, stack_outputs
from tests.support.graph import ROOT

ACCOUNT = "123456789012"
CONFIG = {"aws:region": {"value": "eu-central-1", "secret": False}}


class Pulumi:
    """A fake of the Pulumi CLI. It records its arguments, and prints a stack's configuration or an error."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.prints(json.dumps(CONFIG))

    def prints(self, output: str, *, error: str = "", code: int = 0) -> None:
        (self._folder / "output").write_text(output)
        (self._folder / "error").write_text(error)
        script = self._folder / "pulumi"
        path = self._folder
        script.write_text(
            f'#!/bin/sh\nexport PATH={os.defpath}\necho "$*" >> {path}/calls\ncat {path}/error >&2\n'
            f'case "$1" in env) cat {path}/environment;; *) cat {path}/output;; esac\nexit {code}\n'
        )
        script.chmod(0o755)

    def opens(self, variables: Mapping[str, str]) -> None:
        (self._folder / "environment").write_text(json.dumps({"environmentVariables": variables}))

    @property
    def calls(self) -> list[str]:
        return (self._folder / "calls").read_text().splitlines()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory on the PATH. It is empty at first."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.fixture
def pulumi(path: Path) -> Pulumi:
    return Pulumi(path)


@pytest.fixture(autouse=True)
def _no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send AWS calls to a port on which no program listens, so that they fail immediately."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")


class Aws:
    """A fake of boto3 for STS, Lambda and Service Quotas. It records the arguments of sessions and assumed roles."""

    def __init__(self) -> None:
        self.sessions: list[dict[str, Any]] = []
        self.roles: list[dict[str, Any]] = []
        self.quota = 1000
        self.quotas: dict[str, float] = {}
        """Values of quotas that the account has raised, by code or name. AWS's defaults apply to all others."""
        self.asked = 0
        self.wait_s = 0.0

    def Session(self, **given: Any) -> Aws:  # noqa: N802 - the name in boto3
        self.sessions.append({key: value for key, value in given.items() if value})
        return self

    def client(self, _service: str, **_: Any) -> Aws:
        return self

    def assume_role(self, **given: Any) -> dict[str, Any]:
        self.roles.append(given)
        name = given["RoleArn"].rsplit("/", 1)[-1]
        return {"Credentials": {"AccessKeyId": name, "SecretAccessKey": "secret", "SessionToken": "token"}}

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": ACCOUNT}

    def get_service_quota(self, *, ServiceCode: str, QuotaCode: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        del ServiceCode
        self.asked += 1
        time.sleep(self.wait_s)
        if QuotaCode not in self.quotas:
            raise ClientError({"Error": {"Code": "NoSuchResourceException"}}, "GetServiceQuota")
        return {"Quota": {"Value": self.quotas[QuotaCode]}}

    def get_aws_default_service_quota(self, *, ServiceCode: str, QuotaCode: str) -> dict[str, Any]:  # noqa: N803
        del ServiceCode
        return {"Quota": {"Value": {"L-5540C5E3": 2250.0}.get(QuotaCode, 100_000.0)}}

    def list_service_quotas(self, *, ServiceCode: str, MaxResults: int) -> dict[str, Any]:  # noqa: N803
        assert (ServiceCode, MaxResults) == ("states", 100)
        starts = "StartExecution throttle token refill rate per second"
        return {"Quotas": [{"QuotaName": starts, "Value": self.quotas.get(starts, 150.0)}]}

    def get_account_settings(self) -> dict[str, Any]:
        return {"AccountLimit": {"ConcurrentExecutions": self.quota}}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    fake = Aws()
    monkeypatch.setattr(boto3, "Session", fake.Session)
    return fake


def configured(pulumi: Pulumi, **more: Any) -> None:
    entries = {f"aws:{key}": {"value": json.dumps(value), "objectValue": value} for key, value in more.items()}
    pulumi.prints(json.dumps(CONFIG | entries))


@pytest.mark.usefixtures("path")
def test_missing_stack_file_and_missing_cli_are_reported_with_remedies() -> None:
    assert prerequisites.check("staging").problems == [
        "Pulumi.staging.yaml is missing; stacks with a file: dev, local, prod; copy the file of one of these stacks",
        "the Pulumi CLI is not on the PATH; install it from https://www.pulumi.com/docs/install/",
    ]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            "error: no stack named 'dev' found",
            (
                "stack dev does not exist in this backend: no stack named 'dev' found; if somebody deployed it before, "
                "use their backend (`pulumi login`) or STACK=ORGANIZATION/dev; "
                "otherwise create it: `pulumi stack init dev --no-select`"
            ),
        ),
        (
            "error: could not query backend: dial tcp: lookup api.pulumi.com: no such host",
            "stack dev: the Pulumi CLI says: could not query backend: dial tcp: lookup api.pulumi.com: no such host",
        ),
        (
            "error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions",
            (
                "stack dev: the Pulumi CLI says: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI "
                "sessions; run `pulumi login`, or set PULUMI_ACCESS_TOKEN"
            ),
        ),
        ("warning: a new version\nerror: one\n  two\n", "stack dev: the Pulumi CLI says: one; two"),
    ],
)
def test_error_of_the_pulumi_cli_is_reported(pulumi: Pulumi, error: str, said: str) -> None:
    pulumi.prints("", error=error, code=1)
    assert prerequisites.check("dev").problems == [said]


@pytest.mark.usefixtures("aws")
def test_check_before_a_deployment_returns_the_account_and_does_not_select_the_stack(pulumi: Pulumi) -> None:
    found = prerequisites.check("acme/dev")
    assert (found.problems, found.warnings, found.account) == ([], [], ACCOUNT)
    assert pulumi.calls == ["config --json --show-secrets --stack acme/dev --non-interactive"]


def test_unreachable_aws_causes_only_a_warning(pulumi: Pulumi, capsys: pytest.CaptureFixture[str]) -> None:
    del pulumi
    began = time.monotonic()
    assert prerequisites.main(["dev"]) == 0
    assert time.monotonic() - began < 2 * account.LIMIT_S
    assert capsys.readouterr().err.startswith("warning: the AWS account was not checked: ")


def test_missing_response_from_aws_causes_a_warning_after_the_time_limit(
    pulumi: Pulumi, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    del pulumi

    def wait(*_: object) -> dict[str, str]:
        time.sleep(30)
        return {}

    monkeypatch.setattr(aws, "get_caller_identity", wait)
    monkeypatch.setattr(account, "LIMIT_S", 0.1)
    assert prerequisites.check("dev").warnings == ["the AWS account was not checked: no answer within 0.1 s"]


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ({"allowedAccountIds": [ACCOUNT]}, []),
        ({"allowedAccountIds": ["1", "2"]}, [f"AWS account: got {ACCOUNT}; allowed: 1, 2 (aws:allowedAccountIds); "]),
        ({"forbiddenAccountIds": [ACCOUNT]}, [f"AWS account: got {ACCOUNT}; allowed: any but {ACCOUNT} "]),
        ({"forbiddenAccountIds": ["1"]}, []),
    ],
)
def test_account_that_the_stack_does_not_allow_is_refused(pulumi: Pulumi, ids: dict[str, Any], said: list[str]) -> None:
    configured(pulumi, **ids)
    problems = prerequisites.check("dev").problems
    assert [problem[: len(start)] for problem, start in zip(problems, said, strict=True)] == said


def test_check_uses_the_profile_and_roles_of_the_stack(pulumi: Pulumi, aws: Aws) -> None:
    first, second = {"roleArn": "arn:aws:iam::1:role/a", "externalId": "x"}, {"roleArn": "arn:aws:iam::2:role/b"}
    entries = {"aws:profile": {"value": "team"}, "aws:assumeRoles": {"objectValue": [first, second]}}
    pulumi.prints(json.dumps(CONFIG | entries))
    assert prerequisites.check("dev").account == ACCOUNT
    assert aws.sessions[0] == {"region_name": "eu-central-1", "profile_name": "team"}
    assert [(role["RoleArn"], role.get("ExternalId")) for role in aws.roles] == [
        (first["roleArn"], "x"),
        (second["roleArn"], None),
    ]
    assert [session["aws_access_key_id"] for session in aws.sessions[1:]] == ["a", "b"]


def test_unsupported_credentials_setting_causes_a_warning(pulumi: Pulumi, aws: Aws) -> None:
    configured(pulumi, assumeRoleWithWebIdentity={"roleArn": "arn:aws:iam::1:role/a"})
    assert prerequisites.check("dev").warnings == [
        "the AWS account was not checked: this check does not support aws:assumeRoleWithWebIdentity"
    ]
    assert aws.sessions == []


def test_check_uses_the_variables_of_the_pulumi_environment(
    pulumi: Pulumi, aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text("environment:\n  - acme/dev\n")
    monkeypatch.setattr(stack_outputs, "ROOT", tmp_path)
    monkeypatch.setenv("AWS_PROFILE", "mine")
    pulumi.opens({"AWS_PROFILE": "theirs"})
    assert prerequisites.check("dev").problems == []
    assert pulumi.calls[1] == "env open acme/dev --format json --non-interactive"
    assert os.environ["AWS_PROFILE"] == "theirs"
    assert aws.sessions[0]["region_name"] == "eu-central-1"


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("content", ["environment: {imports: [a]}\n", "environment: 2026-01-01\n"])
def test_pulumi_environment_that_is_not_a_list_of_names_causes_a_warning(
    pulumi: Pulumi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    del pulumi
    (tmp_path / "Pulumi.dev.yaml").write_text(content)
    monkeypatch.setattr(stack_outputs, "ROOT", tmp_path)
    found = prerequisites.check("dev")
    assert (found.problems, len(found.warnings)) == ([], 1)
    assert found.warnings[0].startswith("the AWS account was not checked: Pulumi.dev.yaml")


@pytest.mark.parametrize(("quota", "enough"), [(10, False), (109, False), (110, True), (1000, True)])
def test_too_low_concurrency_quota_is_reported(quota: int, enough: bool) -> None:
    config = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())["config"]
    said = account.too_few_environments(config, quota)
    assert bool(said) is not enough
    assert all("required: 10 for provisioned concurrency and 100" in line for line in said)


def test_any_concurrency_quota_suffices_without_provisioned_concurrency() -> None:
    config = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]
    assert account.too_few_environments(config, 10) == []


def test_invalid_configuration_does_not_fail_the_quota_check() -> None:
    for functions in ("none", {"provisionedConcurrency": 5}, {"provisionedConcurrency": {"users_api": "2"}}):
        assert account.too_few_environments({"orders:functions": functions}, 10) == []


def test_local_stack_is_refused_with_make_up_as_the_remedy() -> None:
    said = ["STACK=local runs on this machine's emulator, not on AWS; use `make up`"]
    assert prerequisites.check("local").problems == said


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


class TestQuotas:
    """`make preview` and `make deploy` warn if a quota of the AWS account is too low for `api.throttleRate`."""

    @pytest.fixture(autouse=True)
    def _rate(self, pulumi: Pulumi) -> None:
        self.allow(pulumi, 500)

    def allow(self, pulumi: Pulumi, rate: int, **api: Any) -> None:
        value = {"throttleRate": rate, **api}
        pulumi.prints(json.dumps(CONFIG | {"orders:api": {"value": json.dumps(value), "objectValue": value}}))

    def test_too_low_quotas_cause_warnings_with_the_required_values(self, aws: Aws) -> None:
        aws.quotas = {"L-B99A9384": 10}
        found = prerequisites.check("dev")
        assert found.problems == []
        lambda_, targets, starts = found.warnings
        assert lambda_.startswith(
            "quota Concurrent executions (lambda): got 10; required: 199, because api.throttleRat"
        )
        assert targets.startswith("quota Invocations throttle limit in transactions per second (events): got 2,250; re")
        assert "required: 2,500" in targets
        assert starts.startswith(
            "quota StartExecution throttle token refill rate per second (states): got 150; require"
        )
        assert starts.endswith("or state in api.capacityWaiver why the rate is right")

    def test_raised_quotas_or_a_lower_rate_cause_no_warning(self, aws: Aws, pulumi: Pulumi) -> None:
        aws.quotas = {"L-5540C5E3": 2500, "StartExecution throttle token refill rate per second": 500}
        assert prerequisites.check("dev").warnings == []
        aws.quotas = {}
        self.allow(pulumi, 150)
        assert prerequisites.check("dev").warnings == []

    def test_capacity_waiver_skips_the_comparison_with_quotas(self, aws: Aws, pulumi: Pulumi) -> None:
        self.allow(pulumi, 500, capacityWaiver="Most requests only read.")
        assert (prerequisites.check("dev").warnings, aws.asked) == ([], 0)

    def test_denied_call_to_service_quotas_causes_one_warning(self, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(**_: Any) -> None:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not allowed"}}, "ListServiceQuotas")

        monkeypatch.setattr(aws, "list_service_quotas", refuse)
        (warning,) = prerequisites.check("dev").warnings
        assert warning.startswith("AWS's quotas were not compared with api.throttleRate: An error occurred (AccessDeni")

    def test_slow_call_to_service_quotas_does_not_discard_the_other_results(
        self, aws: Aws, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(account, "LIMIT_S", 0.2)
        aws.wait_s = 0.5
        found = prerequisites.check("dev")
        assert found.account == ACCOUNT
        assert found.warnings == ["AWS's quotas were not compared with api.throttleRate: no answer within 0.2 s"]
