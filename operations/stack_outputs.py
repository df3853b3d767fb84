"""Reads the outputs of a deployed stack: for the stack `local` from `.local/`, for other stacks with the Pulumi CLI."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final, cast

from cli import children
from local.instance import DEFAULT_PORT, ROOT, read_json

LOCAL_STACK: Final = "local"
TEMPLATE: Final = "pr"
"""The stack file from which the stacks of pull requests, pr-NUMBER, get their settings. No stack has this name."""
ERROR_LOG: Final = ROOT / ".local" / "error.log"
"""File to which the commands of this package write the traceback of an unexpected error."""


class OperationError(Exception):
    """A command for operators cannot continue. The message says what is wrong, what is required, and what to do."""


def stack_file(stack: str) -> Path:
    """Return the path of the settings file of `stack`. The name may have the form organization/stack."""
    return ROOT / f"Pulumi.{stack.rpartition('/')[2]}.yaml"


def without_stack_file(stack: str) -> str:
    """Return an error text if `stack` has no settings file, otherwise an empty text."""
    path = stack_file(stack)
    if path.is_file():
        return ""
    names = {each.name.split(".")[1] for each in ROOT.glob("Pulumi.*.yaml")} - {TEMPLATE}
    known = ", ".join(sorted(names))
    return f"{path.name} is missing; stacks with a file: {known}"


def outputs_file(port: int) -> Path:
    """Return the path of the file to which `make up` writes the outputs of the instance on `port`."""
    folder = ROOT / ".local"
    return (folder if port == DEFAULT_PORT else folder / str(port)) / "outputs.json"


def read(stack: str, *, port: int = DEFAULT_PORT) -> dict[str, Any]:
    """Return the outputs of `stack`.

    `port` selects the instance of the stack `local`. Raises OperationError, or LocalError if the outputs file of this
    instance is damaged.
    """
    if stack == LOCAL_STACK:
        path = outputs_file(port)
        if not path.is_file():
            raise OperationError(f"stack local: nothing runs on port {port}; start it with `make up PORT={port}`")
        remedy = f"`make up PORT={port}` writes it again"
        return read_json(path, "local", "frontend", "ops", remedy=remedy) or {}
    if missing := without_stack_file(stack):
        raise OperationError(f"stack {stack}: {missing}; choose one of these with STACK=")
    if not shutil.which("pulumi"):
        raise OperationError(
            "the Pulumi CLI is not on the PATH; install it from https://www.pulumi.com/docs/install/, "
            "or use STACK=local, which does not need the CLI"
        )
    done = children.run(["pulumi", "stack", "output", "--json", "--stack", stack], cwd=ROOT)
    if done.returncode:
        raise OperationError(f"stack {stack}: the Pulumi CLI could not read the outputs: {done.stderr.strip()}")
    found = cast("dict[str, Any]", json.loads(done.stdout))
    if missing := [name for name in ("frontend", "ops") if name not in found]:
        raise OperationError(
            f"stack {stack}: got no output {', '.join(missing)}; required: a deployed stack; "
            f"run `make deploy STACK={stack}`"
        )
    return found
