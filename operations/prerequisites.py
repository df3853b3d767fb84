"""Checks before `pulumi preview` and `pulumi up` that the stack exists and that the AWS account is the right one.

`python -m operations.prerequisites STACK` reports all problems together, each with its remedy, and exits with 1 if
there is a problem. If something cannot be checked, the command only prints a warning, because Pulumi may still be able
to deploy.
"""

from __future__ import annotations

import sys

from cli import endings
from operations import account, configuration, pulumi_cli
from operations.account import Found
from operations.configuration import UnreadableEnvironmentError
from operations.pulumi_cli import PulumiError
from operations.stack_outputs import ERROR_LOG, LOCAL_STACK, without_stack_file


def check(stack: str) -> Found:
    """Return the problems that would prevent a deployment of `stack`, and warnings about what could not be checked."""
    found = Found()
    if stack == LOCAL_STACK:
        found.problems.append("STACK=local runs on this machine's emulator, not on AWS; use `make up`")
        return found
    if missing := without_stack_file(stack):
        found.problems.append(f"{missing}; copy the file of one of these stacks")
    try:
        pulumi_cli.installed()
        if missing:
            return found
        config = configuration.read(stack)
        environment = configuration.environment(stack)
    except PulumiError as error:
        found.problems.append(str(error))
        return found
    except UnreadableEnvironmentError as error:
        found.warnings.append(account.unchecked(str(error)))
        return found
    return account.check(config, environment)


def main(arguments: list[str]) -> int:
    """Run the command. Return 0 if it found no problem, 1 if it reported problems, and 2 if `arguments` are invalid."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m operations.prerequisites STACK\n")
        return 2
    return endings.run(lambda: _command(arguments[0]), ERROR_LOG, known=(), prefix="missing")


def _command(stack: str) -> int:
    found = check(stack)
    if found.account:
        sys.stdout.write(f"stack {stack} belongs to AWS account {found.account}\n")
    for warning in found.warnings:
        sys.stderr.write(f"warning: {warning}\n")
    for problem in found.problems:
        sys.stderr.write(f"missing: {problem}\n")
    return 1 if found.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
