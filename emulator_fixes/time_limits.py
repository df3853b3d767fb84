"""The time limits of functions and workflow tasks are multiplied by the factor PATIENCE (local/patience.py).

The longer limits are necessary, because the machine that runs the emulator can be slower than Lambda.

Emulator: The emulator applies the configured time limits, as AWS does. On a slow machine, starting an execution
    environment can take longer than a function's limit, for example longer than the 3 s of `validate_order`.
AWS: Lambda applies the configured limits too. Its machines are fast enough for functions to start in time.
Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
Upstream: nothing to report, because the emulator behaves as AWS does.
"""

from __future__ import annotations

from typing import Any, Final

from emulator_fixes import internal, replaces
from local.patience import PATIENCE

_DEFAULT_S: Final = 3
"""Lambda's default time limit, for a function without one, in seconds."""
_runtime: Any = internal("core.lambda_runtime")
_runtime._PROVIDED_INIT_TIMEOUT *= PATIENCE


@replaces("core.lambda_runtime.ProvidedWorker.__init__", "4101cdd4b5e8")
def make_environment(original: Any, worker: Any, name: str, config: Any, code: bytes) -> None:
    """Create an execution environment with PATIENCE times the function's time limit."""
    limit_s = int(config.get("Timeout", _DEFAULT_S) * PATIENCE)
    original(worker, name, {**config, "Timeout": limit_s}, code)


@replaces("services.stepfunctions._invoke_resource_with_timeout", "faeed0bf70d5")
def run_task(original: Any, resource: str, arguments: Any, limit_s: float) -> Any:
    """Run a task with PATIENCE times the time limit `limit_s`."""
    return original(resource, arguments, limit_s * PATIENCE)
