"""Stores which resources were deployed, so that the next deployment changes only what is different.

Each change is added to a journal immediately. If a deployment is killed, all changes that it made are therefore
recorded.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from cli.errors import naming
from local.archives import is_archive, zip_bytes
from local.errors import LocalError
from local.instance import DamagedError, Instance, read_json, write_private

_FORMAT: Final = 1
_SECTIONS: Final = ("resources", "begun", "emptied", "superseded")
Change = tuple[str, str, Any]
"""Section of the state, key, and the new value of the key. The value is None for a deleted key."""


@dataclass
class Record:
    """One deployed resource."""

    type: str
    name: str
    """Logical name in the Pulumi program."""
    id: str
    inputs: dict[str, Any]
    """Inputs as JSON values. An archive is stored as the hash of its content."""
    outputs: dict[str, Any]
    """Outputs that are not inputs."""
    dependencies: list[str] = field(default_factory=list[str])
    """URNs of the resources on which this resource depends."""


class State:
    """The stored state of one instance. Objects of this class are thread-safe."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._lock = threading.Lock()
        saved = _read(instance)
        self.records = _records(instance, saved["resources"])
        self.begun: dict[str, str] = saved["begun"]
        """Maps the URN of each resource with an unfinished change to the token of the change's calls (see Aws.once)."""
        self.emptied: dict[str, str] = saved["emptied"]
        """Maps the URN of each resource that was deleted for a replacement to the id of the deleted resource.

        Until a deployment completes, every deployment recreates the resources that depend on these resources.
        """
        self.superseded = _records(instance, saved["superseded"])
        """Replaced resources, which are deleted at the end of the deployment."""

    def begin(self, urn: str) -> str:
        """Record that a change of the resource `urn` begins, and return the token for its calls (see Aws.once).

        The token stays the same until the end of the change is recorded.
        """
        with self._lock:
            if urn not in self.begun:
                self.begun[urn] = uuid.uuid4().hex
                self._note(("begun", urn, self.begun[urn]))
            return self.begun[urn]

    def put(self, urn: str, record: Record) -> None:
        """Record a deployed resource. New resources are added at the end, so the oldest comes first."""
        with self._lock:
            self.records[urn] = record
            changes: list[Change] = [("resources", urn, asdict(record))]
            if self.begun.pop(urn, None):
                changes.append(("begun", urn, None))
            if self.emptied.get(urn, record.id) != record.id:
                # This resource was created again with a new id. Remove it from `emptied`, because the entry would make
                # the deployment recreate the resources that depend on this one. That is not necessary: the new id is an
                # input of the dependent resources, so the deployment changes them anyway.
                del self.emptied[urn]
                changes.append(("emptied", urn, None))
            self._note(*changes)

    def empty(self, urn: str) -> None:
        """Record that the resource `urn` was deleted and will be created again."""
        with self._lock:
            self.emptied[urn] = self.records.pop(urn).id
            self._note(("emptied", urn, self.emptied[urn]), ("resources", urn, None))

    def supersede(self, urn: str) -> None:
        """Record that a new resource replaced `urn`. The old resource is deleted at the end of the deployment."""
        with self._lock:
            record = self.records[urn]
            key = f"{record.id} {urn}"
            self.superseded[key] = record
            self._note(("superseded", key, asdict(record)))

    def forget_superseded(self, key: str) -> None:
        """Record that a replaced resource is deleted. `key` is the resource's key in the mapping `superseded`."""
        with self._lock:
            del self.superseded[key]
            self._note(("superseded", key, None))

    def remove(self, urn: str) -> None:
        """Record that the resource `urn` is deleted."""
        with self._lock:
            self.records.pop(urn, None)
            self._note(("resources", urn, None))

    def complete(self) -> None:
        """Write the whole state to its file after a complete deployment, and delete the journal."""
        with self._lock:
            if self.emptied or self._instance.journal.exists():
                self.emptied.clear()
                self._write()

    def _write(self) -> None:
        content = {
            "format": _FORMAT,
            "resources": {urn: asdict(record) for urn, record in self.records.items()},
            "begun": self.begun,
            "emptied": self.emptied,
            "superseded": {key: asdict(record) for key, record in self.superseded.items()},
        }
        write_private(self._instance.state, content)
        self._instance.journal.unlink(missing_ok=True)

    def _note(self, *changes: Change) -> None:
        """Append changes to the journal, all of them or none."""
        line = json.dumps(changes)
        with naming(self._instance.journal):
            descriptor = os.open(self._instance.journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "a", encoding="utf-8") as file:
                # The line break separates this line from an incomplete line that a killed deployment may have left.
                file.write(f"\n{line}\n")


def forget(instance: Instance) -> None:
    """Delete the stored state and outputs of the deployment to `instance`."""
    for path in (instance.state, instance.journal, instance.outputs):
        path.unlink(missing_ok=True)


def plain(value: Any) -> Any:
    """Return `value` in the form in which inputs are recorded and compared.

    Each archive is replaced by its hash. Keys with the value None are left out.
    """
    if is_archive(value):
        return {"sha256": hashlib.sha256(zip_bytes(value)).hexdigest()}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if item is not None}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def _read(instance: Instance) -> dict[str, dict[str, Any]]:
    """Return the sections of the stored state after applying the changes in the journal. Raises LocalError."""
    saved: dict[str, Any] = read_json(instance.state, "format", "resources", remedy=instance.anew) or {}
    if saved and saved["format"] != _FORMAT:
        raise LocalError(
            f"{instance.state}: got format {saved['format']!r}; allowed: {_FORMAT}. "
            f"Remedy: use the version of the project that wrote this file, or {instance.anew}"
        )
    try:
        sections = {name: {**saved.get(name, {})} for name in _SECTIONS}
    except TypeError as error:
        raise _damaged(instance.state, instance, error) from None
    try:
        for section, key, value in _noted(instance.journal):
            if value is None:
                sections[section].pop(key, None)
            else:
                sections[section][key] = value
    except (KeyError, RecursionError, TypeError, ValueError) as error:
        raise _damaged(instance.journal, instance, error) from None
    return sections


def _noted(journal: Path) -> Iterator[Change]:
    try:
        lines = journal.read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return
    for line in lines:
        try:
            changes = json.loads(line)
        except ValueError:
            # Skip an incomplete line. Such a line remains if a deployment was killed while it wrote the line.
            continue
        yield from changes


def _records(instance: Instance, saved: Mapping[str, Any]) -> dict[str, Record]:
    try:
        return {key: Record(**record) for key, record in saved.items()}
    except TypeError as error:
        raise _damaged(instance.state, instance, error) from None


def _damaged(path: Path, instance: Instance, error: Exception) -> DamagedError:
    return DamagedError(f"{path}: a record is damaged ({error}). Remedy: {instance.anew}")
