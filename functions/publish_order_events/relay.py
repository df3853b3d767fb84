"""The outbox relay: publishes an event for each status change in a batch of stream records."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from contracts.orders import DETAIL_TYPES
from shared import aws, events, rows
from shared.contracts import Check
from shared.errors import ValidationError
from shared.events import Detail
from shared.telemetry import logger

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

_MAX_ENTRIES: Final = 10
"""PutEvents accepts at most 10 entries per call (EventBridge API reference)."""
_TOO_LARGE: Final = ("ValidationException", "413")
"""Error codes of PutEvents for entries that are too large, alone or together."""
_TRIES: Final = 3
_FIRST_PAUSE_S: Final = 0.1


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of one batch."""

    published: list[Detail]
    """Published events from records before `failed`. Lambda does not send these records again."""
    failed: str | None
    """Lowest sequence number of a failed record, or None. Lambda retries the batch from this record."""


@dataclass(frozen=True, kw_only=True)
class _Change:
    sequence_number: str
    detail: Detail


@dataclass(frozen=True, kw_only=True)
class PutOutcome:
    """The result of publishing some status changes."""

    refused: list[_Change]
    """Status changes that EventBridge did not accept."""
    stop: bool
    """Whether EventBridge would refuse the rest of the batch too, for example because it throttles every call."""


class Relay:
    """Publishes one event for each status change in a batch of stream records."""

    def __init__(
        self,
        client: EventBridgeClient,
        *,
        bus: str,
        checks: Mapping[str, Check],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._bus = bus
        self._checks = checks
        self._sleep = sleep

    def publish(self, records: Sequence[Mapping[str, Any]]) -> Outcome:
        """Publish one event for each status change in `records`, in stream order.

        Further records are still published after a record whose event is invalid or too large. If EventBridge refuses a
        whole call for another reason, publishing stops, because EventBridge would refuse the next call too.
        """
        changes, failed = self._changes(records)
        done: list[_Change] = []
        for start in range(0, len(changes), _MAX_ENTRIES):
            chunk = changes[start : start + _MAX_ENTRIES]
            outcome = self._put(chunk)
            done += [change for change in chunk if change not in outcome.refused]
            failed += [change.sequence_number for change in outcome.refused]
            if outcome.stop:
                break
        lowest = min(failed, key=int, default=None)
        return Outcome(
            published=[change.detail for change in done if lowest is None or int(change.sequence_number) < int(lowest)],
            failed=lowest,
        )

    def _changes(self, records: Sequence[Mapping[str, Any]]) -> tuple[list[_Change], list[str]]:
        """Return the status changes, and the sequence numbers of records that cannot become a valid event."""
        changes: list[_Change] = []
        poison: list[str] = []
        for record in records:
            stream = record["dynamodb"]
            try:
                detail = self._detail(stream.get("OldImage"), stream.get("NewImage"))
            except Exception:  # noqa: BLE001 - one invalid record must not stop the others, and Lambda retries it
                logger.exception("record is not a valid event", sequence_number=stream["SequenceNumber"])
                poison.append(stream["SequenceNumber"])
                continue
            if detail:
                changes.append(_Change(sequence_number=stream["SequenceNumber"], detail=detail))
        return changes, poison

    def _detail(self, old: rows.Row | None, new: rows.Row | None) -> Detail | None:
        """Return the event for a changed row, or None if the status is unchanged or the row was deleted."""
        if new is None or (old is not None and old["status"] == new["status"]):
            return None
        detail = events.detail_of(rows.order_of(new))
        detail_type = DETAIL_TYPES.get(detail["order"]["status"])
        if detail_type is None:
            # This message does not quote the status, because the function logs the messages of errors, and the log must
            # not contain data from rows. A KeyError would quote the status.
            raise ValidationError(f"status: unknown; allowed: {', '.join(DETAIL_TYPES)}")
        self._checks[detail_type](detail)
        return detail

    def _put(self, changes: Sequence[_Change]) -> PutOutcome:
        """Publish `changes`, and retry the entries that EventBridge refuses."""
        left = list(changes)
        for attempt in range(_TRIES):
            if attempt:
                self._sleep(random.uniform(0.5, 1) * _FIRST_PAUSE_S * 2**attempt)  # noqa: S311 - jitter needs no secure random numbers
            try:
                left = self._put_once(left)
            except (BotoCoreError, ClientError) as error:
                too_large = isinstance(error, ClientError) and aws.error_code(error) in _TOO_LARGE
                if too_large and len(left) > 1:
                    return self._put_halves(left)
                # The SDK has already retried transient errors, so this method does not repeat the failed call.
                logger.exception("bus refused the call", entries=len(left), sequence_number=left[0].sequence_number)
                return PutOutcome(refused=left, stop=not too_large)
            if not left:
                break
        return PutOutcome(refused=left, stop=len(left) == len(changes))

    def _put_once(self, changes: Sequence[_Change]) -> list[_Change]:
        """Call PutEvents once. Return the changes whose entries it refused, although the call as a whole succeeded."""
        entries = [events.put_events_entry(change.detail, bus=self._bus) for change in changes]
        answer = self._client.put_events(Entries=entries)
        if not answer["FailedEntryCount"]:
            return []
        results = list(zip(changes, answer["Entries"], strict=True))
        refused = [change for change, result in results if "ErrorCode" in result]
        codes = sorted({result.get("ErrorCode", "") for _, result in results} - {""})
        numbers = [change.sequence_number for change in refused]
        logger.warning("bus refused entries", entries=len(refused), codes=codes, sequence_numbers=numbers)
        return refused

    def _put_halves(self, changes: list[_Change]) -> PutOutcome:
        """Publish each half of `changes` separately, because one entry that is too large makes a whole call fail."""
        half = len(changes) // 2
        first, second = self._put(changes[:half]), self._put(changes[half:])
        return PutOutcome(refused=[*first.refused, *second.refused], stop=first.stop or second.stop)
