"""Runs the Pulumi program without the Pulumi CLI. This module does the work of Pulumi's engine.

It builds on Pulumi's test support, which replaces the engine by a monitor. The monitor receives all requests of the
program.
"""

from __future__ import annotations

import asyncio
import logging
import os
import runpy
import sys
import traceback
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pulumi
from google.protobuf import struct_pb2
from pulumi.runtime import mocks, settings
from pulumi.runtime.proto import resource_pb2

from local.aws import Aws
from local.deployment import Deployment, Resource
from local.errors import LocalError
from local.progress import Progress
from local.project import STACK, Project

_RUNTIME: Final[Any] = pulumi.runtime
_STACK_TYPE: Final = "pulumi:pulumi:Stack"


class _Calls(mocks.Mocks):
    """Responds to the data sources (`get...` functions of the AWS provider) that the program calls."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def call(self, args: Any) -> Any:
        """Return the result of a provider function. Raises LocalError for an unknown function."""
        region, account = self._aws.region, self._aws.account
        answers: Mapping[str, dict[str, Any]] = {
            "aws:index/getCallerIdentity:getCallerIdentity": {
                "accountId": account,
                "arn": f"arn:aws:iam::{account}:root",
                "id": account,
                "userId": account,
            },
            "aws:index/getRegion:getRegion": {
                "description": region,
                "endpoint": f"ec2.{region}.amazonaws.com",
                "id": region,
                "name": region,
                "region": region,
            },
            "aws:index/getPartition:getPartition": {
                "dnsSuffix": "amazonaws.com",
                "id": "aws",
                "partition": "aws",
                "reverseDnsPrefix": "com.amazonaws",
            },
        }
        if args.token not in answers:
            raise LocalError(
                f"the program calls {args.token}, which the local runner does not support (local/program.py)"
            )
        return answers[args.token]

    def new_resource(self, args: Any) -> Any:
        """Refuse to read existing resources, because the emulator contains only resources that the program creates."""
        raise LocalError(
            f"the program reads {args.typ} {args.name!r}, but the emulator has only resources that the program creates"
        )


class _Monitor(mocks.MockMonitor):
    """Takes the engine's place: receives the resources that the program registers, and deploys them."""

    def __init__(self, aws: Aws, deployment: Deployment, progress: Progress) -> None:
        super().__init__(_Calls(aws))
        self._deployment, self._progress = deployment, progress
        self._component: dict[str, str] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - Pulumi prescribes the name
        """Deploy one resource, and respond with its id and properties."""
        urn: str = self.make_urn(request.parent, request.type, request.name)
        if request.type == _STACK_TYPE:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        # The progress report groups resources by their outermost component.
        outermost: str = self._component.get(request.parent) or request.name
        component = self._component.setdefault(urn, outermost)
        if not request.custom or request.type.startswith("pulumi:"):
            return resource_pb2.RegisterResourceResponse(urn=urn, id="" if not request.custom else request.name)
        properties: Any = _RUNTIME.rpc.deserialize_properties(request.object)
        resource = Resource(
            urn=urn,
            type=request.type,
            name=request.name,
            inputs=_unwrap(properties),
            dependencies=tuple(sorted(request.dependencies)),
        )
        with self._progress.resource(component) as done:
            identity, outputs, action = self._deployment.apply(resource)
            done(action)
        answer = struct_pb2.Struct()
        answer.update(outputs)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=identity, object=answer)


def run(project: Project, aws: Aws, deployment: Deployment, progress: Progress) -> dict[str, Any]:
    """Run the program to its end, and return its exports.

    Raises LocalError if a resource could not be deployed or the program itself failed.
    """
    loop = asyncio.new_event_loop()
    # The deployment reports failed resources itself, so asyncio must not report them again.
    loop.set_exception_handler(lambda _loop, _context: None)
    # Pulumi's settings read the current event loop, so it must be set before the settings.
    asyncio.set_event_loop(loop)
    _RUNTIME.set_all_config(project.config, [])
    monitor = _Monitor(aws, deployment, progress)
    words = _words(progress)
    mocks.set_mocks(monitor.mocks, project.name, STACK, preview=False, logger=words, monitor=monitor)
    settings.set_root_resource(None)  # pyright: ignore[reportArgumentType] - run_in_stack creates the root
    before = Path.cwd()
    os.chdir(project.root)
    sys.path.insert(0, str(project.root))
    try:
        return loop.run_until_complete(_exports(project))
    except BaseException as error:
        if deployment.failures:
            raise deployment.failures[0] from None
        if isinstance(error, (KeyboardInterrupt, LocalError, OSError)):
            raise
        raise program_error(project, error) from error
    finally:
        sys.path.remove(str(project.root))
        os.chdir(before)


def _words(progress: Progress) -> logging.Logger:
    """Return a logger that prints the messages that the program logs with pulumi.log."""

    class Said(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            progress.say(f"  {record.getMessage()}")

    logger = logging.getLogger("local.program")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.handlers = [Said()]
    return logger


async def _exports(project: Project) -> dict[str, Any]:
    async def program() -> None:
        runpy.run_path(str(project.program), run_name="__main__")

    run_in_stack: Callable[[Callable[[], Awaitable[None]]], Awaitable[None]] = _RUNTIME.stack.run_in_stack
    await run_in_stack(program)
    root: Any = settings.get_root_resource()
    return {name: await pulumi.Output.from_input(value).future() for name, value in root.outputs.items()}


def _unwrap(value: Any) -> Any:
    """Return `value` without Pulumi's secret markers. Local values are not hidden from the user."""
    if _RUNTIME.rpc.is_rpc_secret(value):
        return _unwrap(_RUNTIME.rpc.unwrap_rpc_secret(value))
    if isinstance(value, dict):
        return {key: _unwrap(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [_unwrap(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def program_error(project: Project, error: BaseException) -> LocalError:
    """Return an error for a program that failed.

    The message has one line, except a pulumi.RunError, whose text the program wrote for its user.
    """
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if str(project.root) in frame.filename]
    own = [frame for frame in frames if "/.venv/" not in frame.filename and "/local/" not in frame.filename]
    where = f" ({os.path.relpath(own[-1].filename, project.root)}:{own[-1].lineno})" if own else ""
    if isinstance(error, pulumi.RunError):
        # The program wrote this message for the person who runs it, for example about an invalid setting.
        return LocalError(str(error))
    words = " ".join(f"{type(error).__name__}: {error}".split())
    return LocalError(f"the program failed{where}: {words}")
