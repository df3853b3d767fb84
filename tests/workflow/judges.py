"""Runs the Node.js programs that check the workflow definitions: asl-validator, and JSONata's own implementation."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

_ENVIRONMENT: Final = Path(sys.prefix)
_HOME: Final = _ENVIRONMENT / "asl"
_HERE: Final = Path(__file__).resolve().parent


def validator_complaints(definition: Path) -> str:
    """Return the errors that asl-validator finds in `definition`, or "" if it is valid."""
    done = _node(str(_installed("asl-validator/dist/bin/asl-validator.js")), "--json-path", str(definition))
    return "" if done.returncode == 0 else done.stdout + done.stderr


def reference_results(evaluations: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Evaluate JSONata expressions, each as {"expression", "bindings"}, with JSONata's own implementation.

    Each result is {"value"}, {"error"}, or {} for an undefined value.
    """
    _installed("jsonata/package.json")
    done = _node(str(_HERE / "reference.mjs"), str(_HOME), given=json.dumps(evaluations))
    assert done.returncode == 0, done.stderr
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results


def _installed(path: str) -> Path:
    found = _HOME / "node_modules" / path
    assert found.is_file(), f"{found} is missing; run `make test`, which installs it"
    return found


def _node(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    node = _ENVIRONMENT / "bin" / "node"
    assert node.is_file(), f"{node} is missing; run `make test`, which installs it"
    command = [str(node), *arguments]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False)  # noqa: S603
