"""Functions and workflow tasks have PATIENCE times as long as their settings say (local/patience.py).

The emulator measures the settings' limits on this machine, where a start of a function can take longer than the 3 s
that `validate_order` has on Lambda.
"""

from __future__ import annotations

from typing import Any, Final

from local.corrections import internal, replaces
from local.patience import PATIENCE

_DEFAULT_S: Final = 3
"""Lambda's time limit of a function that names none."""
_runtime: Any = internal("core.lambda_runtime")
_runtime._PROVIDED_INIT_TIMEOUT *= PATIENCE


@replaces("core.lambda_runtime.ProvidedWorker.__init__", "4101cdd4b5e8")
def make_environment(original: Any, worker: Any, name: str, config: Any, code: bytes) -> None:
    """Make an environment whose invocations, and their remaining time, have the longer limit."""
    limit_s = int(config.get("Timeout", _DEFAULT_S) * PATIENCE)
    original(worker, name, {**config, "Timeout": limit_s}, code)


@replaces("services.stepfunctions._invoke_resource_with_timeout", "faeed0bf70d5")
def run_task(original: Any, resource: str, arguments: Any, limit_s: float) -> Any:
    """Run a task within the longer limit."""
    return original(resource, arguments, limit_s * PATIENCE)
