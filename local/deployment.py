"""Deploys each resource of the program: creates, updates, replaces or deletes it, or leaves it unchanged."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal

from local.adapters import adapter as adapter_of
from local.adapters.base import Adapter, Made, Props
from local.archives import is_archive
from local.aws import Aws, CallError
from local.errors import LocalError
from local.state import Record, State, plain

Action = Literal["created", "updated", "replaced", "deleted", "same"]


@dataclass(frozen=True)
class Resource:
    """A resource as the program declares it."""

    urn: str
    type: str
    name: str
    inputs: Props
    dependencies: tuple[str, ...]


class Deployment:
    """Deploys the resources of one run of the program to one instance. Objects of this class are thread-safe."""

    def __init__(self, aws: Aws, state: State) -> None:
        self._aws, self._state = aws, state
        self._lock = threading.Condition()
        self._working = 0
        self._seen: set[str] = set()
        self.failures: list[LocalError] = []

    def apply(self, resource: Resource) -> tuple[str, Props, Action]:
        """Deploy `resource`, and return its id, all its properties, and the action, for example `created`.

        Raises LocalError with the resource, the call and AWS's message.
        """
        with self._lock:
            if self.failures:
                raise LocalError("no further resource is deployed after a failure")
            if resource.urn in self._seen:
                raise self._fail(LocalError(f"two resources have the URN {resource.urn}. Remedy: rename one."))
            self._seen.add(resource.urn)
            self._working += 1
        try:
            return self._apply(resource)
        finally:
            with self._lock:
                self._working -= 1
                self._lock.notify_all()

    def settle(self) -> None:
        """Wait until the running changes are done.

        If a resource cannot be deployed, the program ends, but other threads may still be deploying resources.
        """
        with self._lock:
            self._lock.wait_for(lambda: not self._working)

    def _apply(self, resource: Resource) -> tuple[str, Props, Action]:
        inputs = {key: _given(value) for key, value in resource.inputs.items() if value is not None}
        cut_off = resource.urn in self._state.begun and resource.urn not in self._state.records
        try:
            adapter = _adapter(resource, inputs)
            record, action = self._bring(resource, adapter, inputs)
        except LocalError as error:
            raise self._fail(error) from None
        except CallError as error:
            why = (
                f"; an interrupted deployment created the resource with other inputs. Remedy: {self._aws.instance.anew}"
            )
            message = f"{_label(resource)}: {error}{why if cut_off and error.taken else ''}"
            raise self._fail(LocalError(message)) from None
        except ValueError as error:
            raise self._fail(LocalError(f"{_label(resource)}: {error}")) from None
        visible = {key: value for key, value in inputs.items() if not is_archive(value)}
        return record.id, {**visible, **record.outputs}, action

    def delete_rest(self) -> list[str]:
        """Delete the resources that the program no longer declares, newest first, and return their URNs."""
        for key, record in reversed(list(self._state.superseded.items())):
            urn = key.partition(" ")[2]
            current = self._state.records.get(urn)
            if current is None or current.id != record.id:
                self._delete(urn, record)
            self._state.forget_superseded(key)
        gone = [urn for urn in reversed(list(self._state.records)) if urn not in self._seen]
        for urn in gone:
            self._delete(urn, self._state.records[urn])
            self._state.remove(urn)
        return gone

    def _bring(self, resource: Resource, adapter: Adapter, inputs: Props) -> tuple[Record, Action]:
        wanted = plain(inputs)
        known = self._state.records.get(resource.urn)
        if known is None:
            with self._change(resource):
                return self._recorded(resource, wanted, adapter.create(self._aws, inputs)), "created"
        changed = {key for key in known.inputs.keys() | wanted.keys() if known.inputs.get(key) != wanted.get(key)}
        # If a dependency of this resource was deleted and created again, create this resource again too. The deletion
        # of the dependency may have deleted this resource.
        rebuilt = any(urn in self._state.emptied for urn in resource.dependencies) and not adapter.keeps_data
        if not changed and not rebuilt:
            return self._same(resource, adapter, inputs, known)
        with self._change(resource):
            if not (changed & adapter.replaced_by) and not rebuilt:
                outputs = adapter.update(self._aws, known.id, known.inputs, inputs)
                if outputs is not None:
                    merged = {**known.outputs, **outputs}
                    return self._recorded(resource, wanted, Made(known.id, merged)), "updated"
            return self._replace(resource, adapter, inputs, known, changed), "replaced"

    def _same(self, resource: Resource, adapter: Adapter, inputs: Props, known: Record) -> tuple[Record, Action]:
        if resource.urn in self._state.begun:
            # An earlier deployment was killed while it updated this resource. The emulator may already have the new
            # inputs of that update, which the state does not contain. The adapter therefore sends the program's inputs
            # again, although they are equal to the recorded inputs.
            with self._change(resource):
                outputs = adapter.update(self._aws, known.id, known.inputs, inputs) or {}
                return self._recorded(resource, known.inputs, Made(known.id, {**known.outputs, **outputs})), "updated"
        if known.dependencies != list(resource.dependencies):
            known.dependencies = list(resource.dependencies)
            self._state.put(resource.urn, known)
        return known, "same"

    def _change(self, resource: Resource) -> AbstractContextManager[None]:
        """Return a context manager for a change of `resource`.

        If the change is interrupted, the next deployment repeats it.
        """
        return self._aws.once(self._state.begin(resource.urn))

    def _replace(self, resource: Resource, adapter: Adapter, inputs: Props, known: Record, changed: set[str]) -> Record:
        if adapter.keeps_data:
            raise LocalError(
                f"{_label(resource)}: a change of {', '.join(sorted(changed))} replaces the resource, and its data "
                f"would be lost. Remedy, if you accept the loss: {self._aws.instance.anew}"
            )
        if adapter.named_by_aws:
            made = adapter.create(self._aws, inputs)
            self._state.supersede(resource.urn)
        else:
            self._delete(resource.urn, known)
            self._state.empty(resource.urn)
            made = adapter.create(self._aws, inputs)
        return self._recorded(resource, plain(inputs), made)

    def _delete(self, urn: str, record: Record) -> None:
        adapter = adapter_of(record.type)
        if adapter is None:
            raise LocalError(
                f"{record.type} {record.name!r} ({urn}) was deployed, but its adapter no longer exists. "
                f"Remedy: {self._aws.instance.anew}"
            )
        try:
            adapter.delete(self._aws, record.id, record.inputs)
        except CallError as error:
            if not error.gone:
                raise LocalError(f"{record.type} {record.name!r} ({urn}): {error}") from None

    def _fail(self, error: LocalError) -> LocalError:
        self.failures.append(error)
        return error

    def _recorded(self, resource: Resource, wanted: Props, made: Made) -> Record:
        record = Record(
            type=resource.type,
            name=resource.name,
            id=made.id,
            inputs=wanted,
            outputs=made.outputs,
            dependencies=list(resource.dependencies),
        )
        self._state.put(resource.urn, record)
        return record


def _adapter(resource: Resource, inputs: Mapping[str, Any]) -> Adapter:
    found = adapter_of(resource.type)
    if found is None:
        raise LocalError(f"{_label(resource)}: no adapter for this type. Remedy: write an adapter in local/adapters/")
    if unknown := sorted(set(inputs) - found.applies - set(found.leaves)):
        raise LocalError(
            f"{_label(resource)}: the adapter does not support {', '.join(unknown)}. "
            f"Remedy: add it to `applies` or `leaves` in {type(found).__module__.replace('.', '/')}.py"
        )
    return found


def _given(value: Any) -> Any:
    """Return the input `value` without properties that are None, also inside nested values."""
    if isinstance(value, dict):
        return {key: _given(item) for key, item in value.items() if item is not None}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, (list, tuple)):
        return [_given(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def _label(resource: Resource) -> str:
    return f"{resource.type} {resource.name!r} ({resource.urn})"
