"""Checks the prerequisites of `pulumi preview` and `pulumi up` for a stack.

`python -m operations.prerequisites STACK` lists everything that is missing, each with its remedy.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import boto3
from botocore.exceptions import BotoCoreError, ClientError

import pulumi_yaml
from cli import children, endings
from operations.stack_outputs import ERROR_LOG, LOCAL_STACK, ROOT, stack_file, without_stack_file
from pulumi_yaml import PulumiYamlError

UNRESERVED: Final = 100
_REGION: Final = "aws:region"
# STS returns the caller's identity in every region, so any region works if the stack has none.
_ANY_REGION: Final = "us-east-1"


def problems(stack: str) -> list[str]:
    """Return one line for each missing prerequisite of `stack`, with its remedy."""
    if stack == LOCAL_STACK:
        return ["STACK=local runs on this machine's emulator, not on AWS; use `make up`"]
    missing = without_stack_file(stack)
    path = stack_file(stack)
    config, wrong = ({}, [f"{missing}; copy one of these files"]) if missing else read_config(path)
    return [*wrong, *_pulumi(stack), *_account(config)]


def _pulumi(stack: str) -> list[str]:
    if not shutil.which("pulumi"):
        return ["the Pulumi CLI is not on the PATH; install it from https://www.pulumi.com/docs/install/"]
    if _run("pulumi", "whoami", "--non-interactive"):
        return [
            "the Pulumi CLI is not logged in; run `pulumi login` (or `pulumi login s3://BUCKET` for your own backend)"
        ]
    if _run("pulumi", "stack", "select", stack, "--non-interactive"):
        return [f"stack {stack} does not exist in this backend; run `pulumi stack init {stack}`"]
    return []


def _account(config: Mapping[str, Any]) -> list[str]:
    """Return the missing prerequisites of the AWS account for the settings in `config`.

    If `config` is empty, check only the credentials.
    """
    region = config.get(_REGION, _ANY_REGION)
    client: Any = cast("Any", boto3).client
    try:
        client("sts", region_name=region).get_caller_identity()
        if not config:
            return []
        limits = client("lambda", region_name=region).get_account_settings()["AccountLimit"]
    except (BotoCoreError, ClientError, ValueError) as error:
        # The SDK raises ValueError for an invalid setting, such as AWS_MAX_ATTEMPTS=many.
        return [f"AWS credentials: {error}; run `aws sso login`, or set AWS_PROFILE or AWS_ACCESS_KEY_ID"]
    return too_few_environments(config, int(limits["ConcurrentExecutions"]))


def too_few_environments(config: Mapping[str, Any], quota: int) -> list[str]:
    """Return a problem if Lambda would refuse the provisioned concurrency in `config`, otherwise an empty list.

    `quota` is the account's quota of concurrent executions. Lambda keeps 100 of them unreserved. The quota of a new
    account can be as low as 10.
    """
    provisioned = _section(_section(config, "orders:functions"), "provisionedConcurrency")
    wanted = sum(number for number in provisioned.values() if isinstance(number, int))
    if not wanted or quota - wanted >= UNRESERVED:
        return []
    needed = f"{wanted} for provisioned concurrency and {UNRESERVED} that Lambda keeps unreserved"
    remedy = "request an increase in Service Quotas (Lambda, Concurrent executions), or lower provisionedConcurrency"
    return [f"Lambda's quota of concurrent executions: got {quota}; required: {needed}; {remedy}"]


def read_config(path: Path) -> tuple[dict[str, Any], list[str]]:
    """Return the configuration in the stack file `path`, and a list of problems.

    With problems, the configuration is empty. This function checks only that the file is readable and has a region. The
    Pulumi program checks all other settings.
    """
    try:
        keys = pulumi_yaml.read(path)
    except PulumiYamlError as error:
        return {}, [str(error)]
    config = keys.get("config")
    if not isinstance(config, dict):
        got = ", ".join(keys) or "nothing"
        return {}, [f"{path.name}: got {got}; required: a key `config` that contains the settings"]
    region = cast("dict[str, Any]", config).get(_REGION)
    if not isinstance(region, str):
        got = "nothing" if region is None else region
        return {}, [
            f"{path.name}: {_REGION}: got {got}; required: an AWS region; run `pulumi config set {_REGION} REGION`"
        ]
    return cast("dict[str, Any]", config), []


def _section(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the section `name` of the configuration, or {} if the section is not a mapping."""
    found = of.get(name)
    return cast("Mapping[str, Any]", found) if isinstance(found, dict) else {}


def _run(*command: str) -> int:
    return children.run(command, cwd=ROOT).returncode


def main(arguments: list[str]) -> int:
    """Print each missing prerequisite. Return 0 if nothing is missing, 1 if something is, 2 for wrong arguments."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m operations.prerequisites STACK\n")
        return 2
    return endings.run(lambda: _command(arguments[0]), ERROR_LOG, known=(), prefix="missing")


def _command(stack: str) -> int:
    found = problems(stack)
    for problem in found:
        sys.stderr.write(f"missing: {problem}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
