"""What must be there before `pulumi preview` or `pulumi up` of a stack makes sense.

`python -m operations.prerequisites STACK` says what is missing, all of it at once, and how to get it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import boto3
import yaml
from botocore.exceptions import BotoCoreError, ClientError

from operations.stack_outputs import LOCAL_STACK, ROOT


def problems(stack: str) -> list[str]:
    """Return what is missing for `stack`, each with its remedy."""
    if stack == LOCAL_STACK:
        return ["STACK=local runs on this machine's emulator, not on AWS; use `make up`"]
    found = _stack_file(stack)
    found += _pulumi(stack)
    found += _credentials(stack)
    return found


def _stack_file(stack: str) -> list[str]:
    if (ROOT / f"Pulumi.{stack}.yaml").is_file():
        return []
    known = ", ".join(sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml")))
    return [f"Pulumi.{stack}.yaml is missing; stacks with a file: {known}; copy one of them"]


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


def _credentials(stack: str) -> list[str]:
    region = _region(ROOT / f"Pulumi.{stack}.yaml")
    try:
        cast("Any", boto3).client("sts", region_name=region).get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        return [f"AWS credentials: {error}; run `aws sso login`, or set AWS_PROFILE or AWS_ACCESS_KEY_ID"]
    return []


def _region(stack_file: Path) -> str:
    if not stack_file.is_file():
        return "us-east-1"
    document: Any = yaml.safe_load(stack_file.read_text(encoding="utf-8"))
    try:
        return str(document["config"]["aws:region"])
    except (KeyError, TypeError):  # the program says what is wrong with the file
        return "us-east-1"


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
