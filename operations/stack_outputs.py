"""The outputs of a deployed stack: from `.local/` for the stack `local`, from the Pulumi CLI for the others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final, cast

from cli import children
from local.instance import DEFAULT_PORT, ROOT, read_json

LOCAL_STACK: Final = "local"
ERROR_LOG: Final = ROOT / ".local" / "error.log"
"""Where the commands of this package write the traceback of a defect."""


class OperationError(Exception):
    """An operator's command cannot go on. The message says what, got, allowed and remedy."""


def stack_file(stack: str) -> Path:
    """Return where the settings of `stack` are; it may be given as organisation/stack."""
    return ROOT / f"Pulumi.{stack.rpartition('/')[2]}.yaml"


def without_stack_file(stack: str) -> str:
    """Return what is wrong if no file has the settings of `stack`, else an empty text."""
    path = stack_file(stack)
    if path.is_file():
        return ""
    known = ", ".join(sorted(each.name.split(".")[1] for each in ROOT.glob("Pulumi.*.yaml")))
    return f"{path.name} is missing; stacks with a file: {known}"


def outputs_file(port: int) -> Path:
    """Return where `make up` wrote the outputs of the instance on `port`."""
    folder = ROOT / ".local"
    return (folder if port == DEFAULT_PORT else folder / str(port)) / "outputs.json"


def read(stack: str, *, port: int = DEFAULT_PORT) -> dict[str, Any]:
    """Return the outputs of `stack`. Raises OperationError, and LocalError for a damaged file of stack `local`."""
    if stack == LOCAL_STACK:
        path = outputs_file(port)
        if not path.is_file():
            raise OperationError(f"stack local: nothing runs on port {port}; start it by `make up PORT={port}`")
        remedy = f"`make up PORT={port}` writes it again"
        return read_json(path, "local", "frontend", "ops", remedy=remedy) or {}
    if missing := without_stack_file(stack):
        raise OperationError(f"stack {stack}: {missing}; name one of them by STACK=")
    if not shutil.which("pulumi"):
        raise OperationError(
            "the Pulumi CLI is not on the PATH; install it from https://www.pulumi.com/docs/install/, "
            "or use STACK=local, which does without"
        )
    done = children.run(["pulumi", "stack", "output", "--json", "--stack", stack], cwd=ROOT)
    if done.returncode:
        raise OperationError(f"stack {stack}: pulumi cannot give its outputs: {done.stderr.strip()}")
    found = cast("dict[str, Any]", json.loads(done.stdout))
    if missing := [name for name in ("frontend", "ops") if name not in found]:
        raise OperationError(
            f"stack {stack}: got no output {', '.join(missing)}; needed: a deployed stack; "
            f"run `make deploy STACK={stack}`"
        )
    return found
