"""Runs the Pulumi CLI for one stack. The stack that you selected with `pulumi stack select` stays selected."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Mapping
from typing import Any, Final, cast

from cli import children
from operations.stack_outputs import LOCAL_STACK, ROOT, OperationError

_NO_CLI: Final = "the Pulumi CLI is not on the PATH; install it from https://www.pulumi.com/docs/install/"
_LONGEST_QUOTE: Final = 60
_MISSING: Final = re.compile(r"no stack named .* found", re.IGNORECASE)
# The CLI's messages about a locked stack: the first for a backend in a bucket or a folder, the second for Pulumi Cloud.
_LOCKED: Final = re.compile(r"currently locked by|Another update is currently in progress", re.IGNORECASE)
# If the backend is a folder, the CLI stores the content type of each file in a second file, whose name ends with
# `.attrs`. If the CLI is killed, it can leave an empty `.attrs` file. All later commands then fail with this message.
_EMPTY_ATTRIBUTES: Final = re.compile(r"failed to load checkpoint: .*EOF")
_LOGIN: Final = re.compile(r"PULUMI_ACCESS_TOKEN|pulumi login|not logged in", re.IGNORECASE)


class PulumiError(OperationError):
    """The Pulumi CLI failed. The message contains the CLI's own message in one line."""


class NoSuchStackError(PulumiError):
    """The backend responded, but has no stack with this name."""


class StackLockedError(PulumiError):
    """The stack is locked, because an update is running or because an update was killed before it released the lock."""


def installed() -> None:
    """Raise PulumiError if there is no Pulumi CLI on the PATH."""
    if not shutil.which("pulumi"):
        raise PulumiError(_NO_CLI)


def run(stack: str, *arguments: str, text: str | None = None, changes: bool = False) -> str:
    """Run `pulumi ARGUMENTS --stack STACK` with `text` as its input, and return its output.

    Set `changes` to true if the command changes the stack. If a signal ends this process, a command that changes the
    stack is not killed, but completes the steps that it has begun. Raises PulumiError.
    """
    if stack == LOCAL_STACK:
        raise PulumiError("STACK=local runs on this machine's emulator, not on AWS; use `make up` and `make down`")
    installed()
    command = ("pulumi", *arguments, "--stack", stack, "--non-interactive")
    done = children.run(command, cwd=ROOT, text=text, ends_itself=changes)
    if done.returncode:
        raise _error(stack, done.stderr or done.stdout)
    return done.stdout


def document(stack: str, *arguments: str) -> dict[str, Any]:
    """Run `pulumi ARGUMENTS` for `stack`, and return its output, which is one JSON object. Raises PulumiError."""
    output = run(stack, *arguments)
    try:
        return cast("dict[str, Any]", json.loads(output))
    except ValueError:
        command = " ".join(arguments)
        raise PulumiError(
            f"stack {stack}: `pulumi {command}` printed {output[:_LONGEST_QUOTE]!r}, "
            "which is not JSON; update the Pulumi CLI"
        ) from None


def exported(stack: str) -> dict[str, Any]:
    """Return the state of `stack` as `pulumi stack export` writes it. Secrets stay encrypted. Raises PulumiError."""
    state = document(stack, "stack", "export")
    # The export of a stack that was never deployed contains no deployment. Add an empty one.
    state["deployment"] = state.get("deployment") or {}
    return state


def resources(state: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the resources in the exported `state`."""
    return cast("list[dict[str, Any]]", state["deployment"].get("resources") or [])


def name_of(resource: Mapping[str, Any]) -> str:
    """Return the logical name of `resource`, a resource in an exported state."""
    return str(resource["urn"]).rsplit("::", 1)[-1]


def _error(stack: str, errors: str) -> PulumiError:
    lines = [line.strip() for line in errors.splitlines() if line.strip() and not line.startswith("warning: ")]
    start = next((number for number, line in enumerate(lines) if line.startswith("error: ")), 0)
    said = "; ".join(lines[start:]).removeprefix("error: ") or "no message"
    if _MISSING.search(said):
        remedy = (
            f"if somebody deployed it before, use their backend (`pulumi login`) or STACK=ORGANIZATION/{stack}; "
            f"otherwise create it: `pulumi stack init {stack} --no-select`"
        )
        return NoSuchStackError(f"stack {stack} does not exist in this backend: {said}; {remedy}")
    if _LOCKED.search(said):
        return StackLockedError(said)
    remedy = "; run `pulumi login`, or set PULUMI_ACCESS_TOKEN" if _LOGIN.search(said) else ""
    if _EMPTY_ATTRIBUTES.search(said) and (folder := _folder()):
        delete = f"find {shlex.quote(folder)} -name '*.attrs' -size 0 -delete"
        remedy = f"; a killed command left an empty .attrs file, which Pulumi does not need; run `{delete}`"
    return PulumiError(f"stack {stack}: the Pulumi CLI says: {said}{remedy}")


def _folder() -> str:
    """Return the path of the folder `.pulumi` in the backend if the backend is a local folder, otherwise ""."""
    done = children.run(("pulumi", "whoami", "--json", "--non-interactive"), cwd=ROOT)
    url = str(json.loads(done.stdout)["url"]) if not done.returncode else ""
    return f"{url.removeprefix('file://').partition('?')[0]}/.pulumi" if url.startswith("file://") else ""
