"""The outputs of a deployed stack: from `.local/` for the stack `local`, from the Pulumi CLI for the others."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any, Final, cast

from cli import children

LOCAL_STACK: Final = "local"
DEFAULT_PORT: Final = 4566
_LAST_PORT: Final = 65_535
ROOT: Final = Path(__file__).resolve().parent.parent


class OperationError(Exception):
    """An operator's command cannot go on. The message says what, got, allowed and remedy."""


def port(text: str) -> int:
    """Return the TCP port that an argument names. Raises argparse.ArgumentTypeError."""
    if not text.isdecimal() or not 1 <= int(text) <= _LAST_PORT:
        raise argparse.ArgumentTypeError(
            f"PORT: got {text!r}; allowed: 1 to {_LAST_PORT}; the default is {DEFAULT_PORT}"
        )
    return int(text)


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
    """Return the outputs of `stack`. Raises OperationError."""
    if stack == LOCAL_STACK:
        path = outputs_file(port)
        if not path.is_file():
            raise OperationError(f"stack local: nothing runs on port {port}; start it by `make up PORT={port}`")
        return cast("dict[str, Any]", json.loads(path.read_text(encoding="utf-8")))
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
    return cast("dict[str, Any]", json.loads(done.stdout))
