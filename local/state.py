"""What was deployed, so that the next deployment changes only what changed."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from local.archives import is_archive, zip_bytes
from local.errors import LocalError
from local.instance import DamagedError, Instance, read_json, write_private

_FORMAT: Final = 1


@dataclass
class Record:
    """One deployed resource."""

    type: str
    name: str
    """Logical name."""
    id: str
    inputs: dict[str, Any]
    """Plain JSON; an archive is the hash of its content."""
    outputs: dict[str, Any]
    """Beyond the inputs."""
    dependencies: list[str] = field(default_factory=list[str])
    """URNs."""


class State:
    """The records of one instance. Used by several threads."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._lock = threading.Lock()
        self.records: dict[str, Record] = {}
        self.interrupted = False
        """Whether the last deployment was killed before it could write down what it made."""
        saved = read_json(instance.state, "format", "deploying", "resources", remedy=instance.anew)
        if not saved:
            return
        if saved["format"] != _FORMAT:
            raise LocalError(
                f"{instance.state}: got format {saved['format']!r}; allowed: {_FORMAT}. "
                f"Remedy: use the version of the project that wrote it, or {instance.anew}"
            )
        try:
            self.interrupted = saved["deploying"]
            self.records = {urn: Record(**record) for urn, record in saved["resources"].items()}
        except (AttributeError, TypeError) as error:
            raise DamagedError(f"{instance.state}: got no record ({error}). Remedy: {instance.anew}") from None

    def put(self, urn: str, record: Record) -> None:
        """Record `urn`; new ones come last, so that the order is that of creation."""
        with self._lock:
            self.records[urn] = record

    def remove(self, urn: str) -> None:
        """Forget `urn`."""
        with self._lock:
            self.records.pop(urn, None)

    def save(self, *, deploying: bool) -> None:
        """Write the records down; `deploying` stays set in the file if nobody comes to write the end."""
        with self._lock:
            resources = {urn: asdict(record) for urn, record in self.records.items()}
        write_private(self._instance.state, {"format": _FORMAT, "deploying": deploying, "resources": resources})


def plain(value: Any) -> Any:
    """Return `value` as it is recorded and compared: archives by their content, whole floats as integers."""
    if is_archive(value):
        return {"sha256": hashlib.sha256(zip_bytes(value)).hexdigest()}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if item is not None}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return whole(value)


def whole(value: Any) -> Any:
    """Return 3 for 3.0: Pulumi hands every number over as a float."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
