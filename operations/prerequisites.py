"""What must be there before `pulumi preview` or `pulumi up` of a stack makes sense.

`python -m operations.prerequisites STACK` says what is missing, all of it at once, and how to get it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import boto3
import yaml
from botocore.exceptions import BotoCoreError, ClientError

from operations.stack_outputs import LOCAL_STACK, ROOT

UNRESERVED: Final = 100


def problems(stack: str) -> list[str]:
    """Return what is missing for `stack`, each with its remedy."""
    if stack == LOCAL_STACK:
        return ["STACK=local runs on this machine's emulator, not on AWS; use `make up`"]
    path = ROOT / f"Pulumi.{stack.rpartition('/')[2]}.yaml"  # the stack may be given as organisation/stack
    return [*_stack_file(path), *_pulumi(stack), *_account(path)]


def _stack_file(path: Path) -> list[str]:
    if path.is_file():
        return []
    known = ", ".join(sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml")))
    return [f"{path.name} is missing; stacks with a file: {known}; copy one of them"]


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


def _account(path: Path) -> list[str]:
    config = _config(path)
    region = str(config.get("aws:region", "us-east-1"))
    client: Any = cast("Any", boto3).client
    try:
        client("sts", region_name=region).get_caller_identity()
        limits = client("lambda", region_name=region).get_account_settings()["AccountLimit"]
    except (BotoCoreError, ClientError) as error:
        return [f"AWS credentials: {error}; run `aws sso login`, or set AWS_PROFILE or AWS_ACCESS_KEY_ID"]
    return too_few_environments(config, int(limits["ConcurrentExecutions"]))


def too_few_environments(config: Mapping[str, Any], quota: int) -> list[str]:
    """Return what is wrong if Lambda would refuse the provisioned concurrency of a stack file's `config`.

    Lambda keeps 100 of an account's `quota` of concurrent executions unreserved; a new account may have only 10 in all.
    """
    functions = cast("dict[str, Any]", config.get("orders:functions") or {})
    sizes = cast("dict[str, dict[str, Any]]", functions.get("sizes") or {})
    wanted = sum(int(size.get("provisionedConcurrency", 0)) for size in sizes.values())
    if not wanted or quota - wanted >= UNRESERVED:
        return []
    needed = f"{wanted} provisioned and {UNRESERVED} that Lambda keeps free"
    remedy = "ask for more in Service Quotas (Lambda, Concurrent executions), or lower provisionedConcurrency"
    return [f"Lambda's quota of concurrent executions: got {quota}; needed: {needed}; {remedy}"]


def _config(path: Path) -> dict[str, Any]:
    """Return the stack file's configuration; what is wrong with it, the program says."""
    if not path.is_file():
        return {}
    document: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        return cast("dict[str, Any]", document["config"] or {})
    except (KeyError, TypeError):
        return {}


def _run(*command: str) -> int:
    return subprocess.run(command, capture_output=True, check=False, cwd=ROOT).returncode  # noqa: S603 - fixed words


def main(arguments: list[str]) -> int:
    """Return 0 if everything is there, else 1 after naming what is not."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m operations.prerequisites STACK\n")
        return 2
    found = problems(arguments[0])
    for problem in found:
        sys.stderr.write(f"missing: {problem}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
