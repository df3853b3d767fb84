"""Timestamps in the format of the contracts: ISO 8601 in UTC with milliseconds and a final `Z`."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the current time in UTC. Handlers pass it as an argument to the business rules."""
    return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """Return `moment` in the format `2026-01-02T03:04:05.678Z`. Sorting such texts sorts them by time."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_timestamp(text: str) -> datetime:
    """Parse a timestamp in the format of the contracts."""
    return datetime.fromisoformat(text)
