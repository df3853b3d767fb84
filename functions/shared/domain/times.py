"""Times as the contracts write them: UTC, ISO-8601, milliseconds, `Z`."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the time now; handlers pass it on."""
    return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """Return `moment` as `2026-01-02T03:04:05.678Z`; of equal length, so that text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_timestamp(text: str) -> datetime:
    """Return the moment that `timestamp` wrote."""
    return datetime.fromisoformat(text)
