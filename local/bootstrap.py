"""The `bootstrap` of every local function: runs AWS's runtime client with the modules that Lambda provides.

The emulator starts this file as `python -I -S bootstrap.py RUNTIME [LAYER ...]`. With these options, the interpreter
finds neither site-packages nor this checkout, as on Lambda. RUNTIME is the directory with the packages of Lambda's
Python runtime. Each LAYER is the directory of an extracted layer.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

_LOOKS_EVERY_S: Final = 1.0
END_OF_LOG: Final = "\x04"
"""A line after the last output of an invocation. It tells the emulator not to wait for more output."""


def main(runtime: str, layers: list[str]) -> None:
    """Process invocations until the emulator ends. `runtime` and `layers` are the arguments RUNTIME and LAYER."""
    _take_time(float(os.environ["LOCAL_PATIENCE"]))
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    _set_environment()
    task = os.environ["LAMBDA_TASK_ROOT"]
    sys.path[:0] = [task, *(str(Path(layer, "python")) for layer in layers), runtime]

    # awslambdaric can be imported only after the assignment above has added its directory to `sys.path`.
    import awslambdaric.lambda_runtime_client as client  # noqa: PLC0415 # pyright: ignore[reportMissingTypeStubs]
    from awslambdaric import __main__ as entry  # noqa: PLC0415 # pyright: ignore[reportMissingTypeStubs]

    answers: Any = client.LambdaRuntimeClient
    for name in ("post_invocation_result", "post_invocation_error"):
        setattr(answers, name, _after_end_of_log(getattr(answers, name)))
    serve: Any = entry
    serve.main(["awslambdaric", os.environ["_HANDLER"]])


def _end_with(emulator: int) -> None:
    """End this process when the emulator ends, even during an invocation that never returns."""
    while os.getppid() == emulator:
        time.sleep(_LOOKS_EVERY_S)
    os._exit(1)


def _after_end_of_log(answer: Callable[..., Any]) -> Callable[..., Any]:
    def marked(*arguments: Any, **named: Any) -> Any:
        sys.stdout.write(f"{END_OF_LOG}\n")
        sys.stdout.flush()
        return answer(*arguments, **named)

    return marked


def _take_time(patience: float) -> None:
    """Multiply all socket timeouts by `patience`, because the emulator responds more slowly than AWS."""
    set_timeout = socket.socket.settimeout

    def patient(connection: socket.socket, seconds: float | None) -> None:
        set_timeout(connection, seconds and seconds * patience)

    socket.socket.settimeout = patient


def _set_environment() -> None:
    """Set the environment variables of Lambda, and remove the emulator's own variables."""
    for name in ["PYTHONPATH", "PYTHONUNBUFFERED", *os.environ.pop("LOCAL_PRIVATE", "").split(",")]:
        os.environ.pop(name, None)
    os.environ |= {
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        # Code that runs before the first invocation has no X-Ray segment, so the tracer must ignore a missing segment.
        "AWS_XRAY_CONTEXT_MISSING": "IGNORE_ERROR",
        "LAMBDA_RUNTIME_DIR": sys.argv[1],
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TZ": ":UTC",
    }


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
