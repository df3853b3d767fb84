"""Execution environments are created after a deployment, before the first invocation needs them.

Without this correction, the first order after a deployment would wait for nine cold starts, one after the other. After
a deployment has created or updated its aliases, this correction creates one environment for the version of each alias.
LOCAL_WARM=0 turns the correction off.

Emulator: The first invocation of a function waits for a cold start.
AWS: Lambda behaves in the same way, unless the alias has provisioned concurrency.
Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
Upstream: nothing to report, because AWS behaves in the same way.
"""

from __future__ import annotations

import contextvars
import logging
import os
import queue
import threading
import time
from typing import Any, Final

from emulator_fixes import internal, nested, replaces

_LOG: Final = logging.getLogger("local.warm_start")
# The background thread treats a deployment as finished when no alias has changed for this number of seconds. A running
# deployment changes aliases at shorter intervals.
_QUIET_S: Final = 1.0
_lambda: Any = internal("services.lambda_svc")
_runtime: Any = internal("core.lambda_runtime")


class _Warmer:
    """A background thread that creates the requested environments one after the other."""

    def __init__(self) -> None:
        self._wanted: queue.Queue[tuple[contextvars.Context, str, str]] = queue.Queue()
        self._asked_at = 0.0
        self._thread: threading.Thread | None = None

    def ask(self, name: str, version: str) -> None:
        self._asked_at = time.monotonic()
        self._wanted.put((contextvars.copy_context(), name, version))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            context, name, version = self._wanted.get()
            while (left := self._asked_at + _QUIET_S - time.monotonic()) > 0:
                time.sleep(left)
            context.run(_warm, name, version)


_warmer = _Warmer()


@replaces("services.lambda_svc._create_alias", "2fca00d580eb")
def create_alias(original: Any, name: str, request: Any) -> Any:
    """Create the alias, and request an environment for its version."""
    answer = original(name, request)
    _ask(name, request)
    return answer


@replaces("services.lambda_svc._update_alias", "0017f6b94b06")
def update_alias(original: Any, name: str, alias: str, request: Any) -> Any:
    """Update the alias, and request an environment for its new version."""
    answer = original(name, alias, request)
    _ask(name, request)
    return answer


def _ask(name: str, request: Any) -> None:
    version = nested(request, "FunctionVersion")
    if os.environ.get("LOCAL_WARM") != "0" and version and version != "$LATEST":
        _warmer.ask(name, version)


def _warm(name: str, version: str) -> None:
    function: Any = nested(_lambda._functions.get(name), "versions", version)
    if not function:
        return
    worker, _ = _runtime.acquire_worker(name, function["config"], function["code_zip"], qualifier=version)
    try:
        _runtime.ensure_spawned(worker)
    except Exception as error:  # noqa: BLE001 - the first call reports the error to its caller
        _LOG.warning("%s: %s", name, error)
    finally:
        _runtime.release_worker(worker)
