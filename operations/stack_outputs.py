"""The outputs of a deployed stack: from `.local/` for the stack `local`, from the Pulumi CLI for the others."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final, cast

LOCAL_STACK: Final = "local"
DEFAULT_PORT: Final = 4566
ROOT: Final = Path(__file__).resolve().parent.parent


class OperationError(Exception):
    """An operator's command cannot go on. The message says what, got, allowed and remedy."""


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
    if not shutil.which("pulumi"):
        raise OperationError(
            "the Pulumi CLI is not on the PATH; install it from https://www.pulumi.com/docs/install/, "
            "or use STACK=local, which does without"
        )
    done = subprocess.run(  # noqa: S603 - no shell, and `stack` is one argument
        ["pulumi", "stack", "output", "--json", "--stack", stack],  # noqa: S607 - whichever CLI is on the PATH
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    if done.returncode:
        raise OperationError(f"stack {stack}: pulumi cannot give its outputs: {done.stderr.strip()}")
    return cast("dict[str, Any]", json.loads(done.stdout))
