"""Reads AWS's default quotas and limits from quotas.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

_HERE: Final = Path(__file__).resolve().parent
QUOTAS: Final = _HERE / "quotas.toml"
ASSUMPTIONS: Final = _HERE / "assumptions.toml"


@dataclass(frozen=True, kw_only=True)
class Quota:
    """A quota of an account in a region, or another documented limit."""

    name: str
    """The name in Service Quotas, or a description of a limit that is not a quota."""
    default: float
    """Value in all regions that are not in `regions`. It is a rate per second, unless the name says otherwise."""
    source: str
    """Page of AWS's documentation."""
    read: date
    """Date when the source was last read."""
    service: str = ""
    """Code of the service in Service Quotas. Empty for a limit that is not a quota."""
    code: str = ""
    """Code of the quota in Service Quotas. Empty if no source contains it."""
    regions: Mapping[str, float] = field(default_factory=dict[str, float])
    """The values of regions that differ from `default`, by region."""
    bucket: float = 0
    """Number of calls that AWS's token bucket holds. 0 if the documentation describes no bucket."""
    bucket_regions: Mapping[str, float] = field(default_factory=dict[str, float])
    """The sizes of buckets that differ from `bucket`, by region."""
    raise_by: str = ""
    """How to raise a limit that is not a quota."""
    unverified: bool = False
    """True if no source confirms the values."""

    def value(self, region: str) -> float:
        """Return the default value in a region."""
        return self.regions.get(region, self.default)

    def at_once(self, region: str) -> float:
        """Return how many calls AWS accepts at the same moment: the bucket's size, or `value` if there is no bucket."""
        return self.bucket_regions.get(region, self.bucket) or self.value(region)

    @property
    def label(self) -> str:
        """Return the name with the service and the code, for example `Sending rate (ses, L-CDEF9B6B)`."""
        if not self.service:
            return self.name
        return f"{self.name} ({self.service}, {self.code or 'code unverified'})"


def quotas() -> dict[str, Quota]:
    """Return all quotas and limits by their keys in quotas.toml."""
    return {key: Quota(**each) for key, each in tomllib.loads(QUOTAS.read_text(encoding="utf-8")).items()}


def assumptions() -> dict[str, Any]:
    """Return the assumptions of assumptions.toml, such as the durations of batches."""
    return tomllib.loads(ASSUMPTIONS.read_text(encoding="utf-8"))
