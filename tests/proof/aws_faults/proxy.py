"""An HTTP proxy between the functions and AWS. It makes AWS calls fail as planned in plan.py.

The proxy renders each service's error responses with the library microburst. The proxy does not use microburst to find
out a request's operation: microburst would first load the models of all AWS services, and the functions do not wait
that long for a response. Instead, the proxy reads the operation from the request's headers.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import re
import signal
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp import web
from yarl import URL

from tests.proof.aws_faults.plan import Fault, Kind, Plan

_protocols: Any = importlib.import_module("microburst.protocols")
STEP_PATH: Final = "/_faults/step"
"""Path at which a workflow step in the emulator asks whether it must fail."""
_CALLER: Final = re.compile(r"app/orders-local-([a-z-]+)\.(\d+)")
"""Matches the user agent that launch.py sets: the function's name and the number of its execution environment."""
# The proxy does not pass on these headers, because its HTTP library sets them for each connection. It passes on all
# other headers, even Host, because the request's signature covers the Host header.
_HOP_BY_HOP: Final = {"connection", "content-length", "keep-alive", "transfer-encoding"}
_LONGEST_BODY: Final = 2**24
# Seconds by which the proxy delays a slow call, for each extent of a fault (see Fault.extent). During the delay, the
# SDK retries the call (extents "try" and "ever"), or Lambda retries the invocation (extent "call"). The proxy carries
# out the delayed call only after this retry.
_TOO_SLOW_S: Final[Mapping[str, float]] = {"try": 7, "call": 16, "ever": 7}
_SERVICE: Final = re.compile(r"Credential=[^/]+/\d+/[^/]+/([a-z0-9-]+)/")
_CODES: Final[Mapping[str, tuple[str, str, str]]] = {
    "dynamodb": ("dynamodb", "ProvisionedThroughputExceededException", "InternalServerError"),
    "events": ("events", "ThrottlingException", "InternalException"),
    "states": ("stepfunctions", "ThrottlingException", "InternalFailure"),
    "ses": ("sesv2", "TooManyRequestsException", "InternalServiceErrorException"),
    "s3": ("s3", "SlowDown", "InternalError"),
    "sqs": ("sqs", "ThrottlingException", "InternalError"),
}
"""By the service name in the request's signature: the service's name in microburst, its error code for throttling, and
its code for a server error.
"""
_REST: Final = {"ses": "SendEmail", "s3": "PutObject"}
"""The only operation that the functions call of a service whose requests don't state the operation."""


class FaultProxy:
    """The fault proxy, an HTTP server that runs in its own thread from `start` to `stop`."""

    def __init__(self, upstream: str, plan: Plan, environments: Path) -> None:
        self._upstream, self._plan = upstream, plan
        self._environments = environments
        """Directory with one file for each execution environment, named by its number.

        The file contains the process id.
        """
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._session: aiohttp.ClientSession | None = None
        self.url = ""

    def start(self) -> None:
        """Listen on a free port of the loopback interface."""
        self._thread.start()
        self.url = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()

    def stop(self) -> None:
        """Stop serving and close all connections."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> str:
        timeout = aiohttp.ClientTimeout(total=120)
        connector = aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(timeout=timeout, auto_decompress=False, connector=connector)
        application = web.Application(client_max_size=_LONGEST_BODY)
        application.router.add_post(STEP_PATH, self._step)
        application.router.add_route("*", "/{path:.*}", self._call)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def _stop(self) -> None:
        await self._runner.cleanup()
        # Cancel the tasks of slow calls that the proxy is still delaying.
        waiting = asyncio.all_tasks() - {task for task in (asyncio.current_task(),) if task}
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        if self._session:
            await self._session.close()

    async def _step(self, request: web.Request) -> web.Response:
        """Respond with the fault for a workflow step as {"kind", "extent"}, or with {} if there is none."""
        asked: dict[str, str] = await request.json()
        fault = self._plan.decide(asked["workflow"], asked["operation"], asked["call_id"], asked["text"])
        return web.json_response({"kind": fault.kind, "extent": fault.extent} if fault else {})

    async def _call(self, request: web.Request) -> web.Response:
        body = await request.read()
        named = _CALLER.search(request.headers.get("User-Agent", ""))
        if not named:
            return await self._forward(request, body)
        service, operation = _called(request)
        text = f"{request.rel_url.raw_path_qs} {body.decode(errors='replace')}"
        call_id = request.headers.get("amz-sdk-invocation-id", "")
        fault = self._plan.decide(named[1].replace("-", "_"), operation, call_id, text)
        if fault is None:
            return await self._forward(request, body)
        if fault.kind in ("throttled", "server error"):
            return _error(fault.kind, service)
        return await self._lost(fault, request, body, named[2])

    async def _lost(self, fault: Fault, request: web.Request, body: bytes, environment: str) -> web.Response:
        """Close the connection without a response.

        Depending on the fault, forward the request or kill the function first.
        """
        if fault.kind == "too slow":
            await asyncio.sleep(_TOO_SLOW_S[fault.extent])
        if fault.kind in ("too slow", "answer lost", "killed after"):
            await self._forward(request, body)
        if fault.kind.startswith("killed"):
            self._kill(environment)
        if request.transport:
            request.transport.abort()
        return web.Response()  # The connection is already closed, so nobody receives this response.

    async def _forward(self, request: web.Request, body: bytes) -> web.Response:
        assert self._session
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        url = URL(self._upstream + request.rel_url.raw_path_qs, encoded=True)
        try:
            async with self._session.request(request.method, url, headers=headers, data=body) as answer:
                named = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP}
                return web.Response(status=answer.status, body=await answer.read(), headers=named)
        except aiohttp.ClientConnectionError as error:
            # This error happens only while the emulator is being stopped.
            return web.Response(status=502, text=str(error))

    def _kill(self, environment: str) -> None:
        with suppress(ProcessLookupError):
            os.kill(int((self._environments / environment).read_text()), signal.SIGKILL)


def _called(request: web.Request) -> tuple[str, str]:
    """Return the service and the operation that a request calls. The service is named as in the request's signature."""
    signed = _SERVICE.search(request.headers.get("Authorization", ""))
    assert signed, request.headers
    target = request.headers.get("X-Amz-Target", "")
    return signed[1], target.rpartition(".")[2] or _REST[signed[1]]


def _error(kind: Kind, signed_for: str) -> web.Response:
    service, throttled, broken = _CODES[signed_for]
    code, status = (throttled, None) if kind == "throttled" else (broken, 500)
    status, headers, body = _protocols.render_error(service, code, "planned by a test", status)
    return web.Response(status=status, headers=headers, body=body)


def step_fault(answer: str) -> Fault | None:
    """Return the fault that the proxy chose for a workflow step, or None if the step must not fail.

    Before its AWS call, a workflow step sends a request to the proxy's path STEP_PATH. `answer` is the JSON response.
    """
    told: dict[str, Any] = json.loads(answer)
    return Fault(told["kind"], told["extent"]) if told else None
