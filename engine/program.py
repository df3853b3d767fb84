"""Runs a Pulumi program and passes each resource that the program registers to a `Sink`.

This module replaces Pulumi's engine with a monitor, as Pulumi's test support does (pulumi.runtime.mocks). The monitor
receives everything that the program sends to the engine.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import pulumi
from pulumi.runtime import mocks, rpc, settings
from pulumi.runtime.config import set_all_config
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.stack import run_in_stack
from pulumi.runtime.sync_await import _ensure_event_loop, _sync_await  # pyright: ignore[reportPrivateUsage] - pulumi.runtime.mocks also imports these private functions

_STACK_TYPE: Final = "pulumi:pulumi:Stack"


class EngineError(Exception):
    """The program uses a feature of Pulumi's engine that this module does not support."""


@dataclass(frozen=True)
class Registration:
    """One resource or component that the program registers."""

    urn: str
    type: str
    """Pulumi type token, e.g. aws:sqs/queue:Queue."""
    name: str
    """Logical name."""
    inputs: Mapping[str, Any]
    """camelCase keys, whole numbers as integers, secrets as plain values. Previews can contain pulumi.Unknown."""
    known_inputs: Mapping[str, Any]
    """The inputs, without those whose value is still unknown."""
    parent: str
    """The parent's URN."""
    custom: bool
    """False for a component."""
    protect: bool
    retain_on_delete: bool
    dependencies: tuple[str, ...]
    """URNs of the resources that Pulumi creates before this resource."""
    made_from: Mapping[str, frozenset[str]]
    """Maps the name of each input to the URNs of the resources whose outputs the input contains."""
    delete_before_replace: bool


class Sink(Protocol):
    """Receives the resources and components that the program registers. Pulumi calls a sink from several threads."""

    @property
    def account(self) -> str:
        """AWS account id that the data source getCallerIdentity returns to the program."""
        ...

    @property
    def region(self) -> str:
        """AWS Region that the data source getRegion returns to the program."""
        ...

    def register(self, registration: Registration) -> tuple[str, Mapping[str, Any]]:
        """Handle a registered resource or component. Return its id (unused for a component) and all its properties."""
        ...

    def register_outputs(self, urn: str) -> None:
        """Receive the URN of a component that called `register_outputs`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Stack:
    """The stack for which the program runs."""

    project: str
    name: str
    config: Mapping[str, str]
    """Configuration as the Pulumi CLI passes it to the program."""
    preview: bool = False


def run(program: Callable[[], None], stack: Stack, sink: Sink, log: logging.Logger | None = None) -> dict[str, Any]:
    """Run `program` to its end and return its exports. In a preview, an export with an unknown value is None.

    `log` receives the messages of `pulumi.log`. Raises EngineError and whatever the program or the sink raises.
    """
    loop = asyncio.new_event_loop()
    # Ignore the errors that the event loop reports. The first error of a resource ends the run, and this function
    # raises that error. Without this handler, the event loop would print the errors of other resources too.
    loop.set_exception_handler(lambda _loop, _context: None)
    # Make `loop` the current event loop of this thread, because Pulumi's runtime settings use the current event loop.
    asyncio.set_event_loop(loop)
    monitor = _Monitor(sink)
    set_all_config(dict(stack.config), [])
    mocks.set_mocks(
        monitor.mocks, project=stack.project, stack=stack.name, preview=stack.preview, logger=log, monitor=monitor
    )
    # After a failed run, Pulumi's settings still contain tasks of that run's event loop, which has stopped. A later run
    # in the same process would wait for these tasks forever, so the settings are cleared first.
    tracked: Any = settings.SETTINGS
    tracked.rpc_manager.clear()
    tracked.outputs.clear()
    settings.set_root_resource(None)  # pyright: ignore[reportArgumentType] - run_in_stack creates the root resource later
    exports = loop.run_until_complete(_exports(program))
    # A failed run does not reach this line, so its loop stays open. Threads that are still creating resources can
    # therefore report their results to the loop.
    loop.close()
    asyncio.set_event_loop(None)
    return exports


async def _exports(program: Callable[[], None]) -> dict[str, Any]:
    async def entry() -> None:
        program()

    start: Callable[[Callable[[], Awaitable[None]]], Awaitable[None]] = run_in_stack
    await start(entry)
    root: Any = settings.get_root_resource()
    outputs = {name: pulumi.Output.from_input(value) for name, value in root.outputs.items()}
    return {name: plain(await output.future()) if await output.is_known() else None for name, output in outputs.items()}


class _Provider(mocks.Mocks):
    """Responds to the program's requests to the AWS provider, in place of the provider."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def call(self, args: mocks.MockCallArgs) -> dict[str, Any]:  # pyright: ignore[reportIncompatibleMethodOverride] - MockMonitor also accepts a result without a list of failures
        """Return the result of the data source `args.token`. Raises EngineError if this module does not support it."""
        results = data_sources(self._sink.account, self._sink.region)
        if args.token not in results:
            raise EngineError(
                f"the program calls the data source {args.token}; allowed: {', '.join(results)}. "
                f"Remedy: add the data source to data_sources in engine/program.py"
            )
        return results[args.token]

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        """Raise EngineError, because the program reads a resource on AWS, and this module does not call AWS."""
        raise EngineError(
            f"the program reads {args.typ} {args.name!r}, which it does not create. "
            "Remedy: create the resource in the program"
        )


def data_sources(account: str, region: str) -> dict[str, dict[str, Any]]:
    """Return {token: result} of each data source that the program can call, for the AWS `account` and `region`."""
    return {
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


class _Monitor(mocks.MockMonitor):
    """Receives the program's requests to Pulumi's engine, in place of the engine."""

    def __init__(self, sink: Sink) -> None:
        super().__init__(_Provider(sink))
        self._sink = sink

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - Pulumi's name
        """Register a resource or a component, and return its properties."""
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == _STACK_TYPE:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        # `deserialize_properties` requires an event loop on the current thread. Pulumi calls this method on worker
        # threads, which have no event loop yet.
        _ensure_event_loop()
        identity, properties = self._sink.register(
            Registration(
                urn=urn,
                type=request.type,
                name=request.name,
                inputs=plain(rpc.deserialize_properties(request.object, keep_unknowns=True)),
                known_inputs=plain(rpc.deserialize_properties(request.object)),
                parent=request.parent,
                custom=bool(request.custom),
                protect=bool(request.protect),
                retain_on_delete=bool(request.retainOnDelete),
                dependencies=tuple(request.dependencies),
                made_from={key: frozenset(value.urns) for key, value in request.propertyDependencies.items()},
                delete_before_replace=bool(request.deleteBeforeReplace),
            )
        )
        state = _sync_await(rpc.serialize_properties(dict(properties), {}))
        return resource_pb2.RegisterResourceResponse(urn=urn, id=identity, object=state)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - Pulumi's name
        """Record that a component registered its outputs."""
        self._sink.register_outputs(request.urn)
        return super().RegisterResourceOutputs(request)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def plain(value: Any) -> Any:
    """Return `value` as plain JSON.

    Whole floats become integers, because Pulumi passes every number as a float. Secrets become plain values.
    """
    if rpc.is_rpc_secret(value):
        return plain(rpc.unwrap_rpc_secret(value))
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
