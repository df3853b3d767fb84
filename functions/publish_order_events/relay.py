"""Publishing a batch of the orders table's stream."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from shared import aws, events, rows
from shared.contracts import Check
from shared.errors import ValidationError
from shared.events import Detail
from shared.telemetry import logger

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

_ENTRIES_OF_A_CALL: Final = 10
"""AWS's limit of PutEvents."""
_TOO_LARGE: Final = ("ValidationException", "413")
"""What EventBridge answers if the entries of a call are too large, one of them or all together."""
_TRIES: Final = 3
_FIRST_PAUSE_S: Final = 0.1


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a batch."""

    published: list[Detail]
    """Events on the bus whose records are done. What came after `failed` will be sent again, so it is not here."""
    failed: str | None
    """Lowest sequence number that is not done; Lambda goes on from it. None if all are."""


@dataclass(frozen=True, kw_only=True)
class _Change:
    sequence_number: str
    detail: Detail


class Relay:
    """Puts the status changes of a stream's batch on the bus."""

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
        """Publish one event for each status that an order of `records` reached, in their order.

        A record that cannot be an event, or is too large for one, fails alone: the ones around it are published. A call
        that is refused whole for another reason ends the batch there, since the next one would meet the same.
        """
        changes, failed = self._changes(records)
        done: list[_Change] = []
        for start in range(0, len(changes), _ENTRIES_OF_A_CALL):
            chunk = changes[start : start + _ENTRIES_OF_A_CALL]
            refused, goes_on = self._put(chunk)
            done += [change for change in chunk if change not in refused]
            failed += [change.sequence_number for change in refused]
            if not goes_on:
                break
        lowest = min(failed, key=int, default=None)
        return Outcome(
            published=[change.detail for change in done if lowest is None or int(change.sequence_number) < int(lowest)],
            failed=lowest,
        )

    def _changes(self, records: Sequence[Mapping[str, Any]]) -> tuple[list[_Change], list[str]]:
        """Return the status changes, and the sequence numbers of records that cannot be understood."""
        changes: list[_Change] = []
        poison: list[str] = []
        for record in records:
            stream = record["dynamodb"]
            try:
                detail = self._detail(stream.get("OldImage"), stream.get("NewImage"))
            except Exception:  # noqa: BLE001 - reported below as this record's failure
                # Whatever is wrong with one row must not stop the others.
                logger.exception("record cannot be an event", sequence_number=stream["SequenceNumber"])
                poison.append(stream["SequenceNumber"])
                continue
            if detail:
                changes.append(_Change(sequence_number=stream["SequenceNumber"], detail=detail))
        return changes, poison

    def _detail(self, old: rows.Row | None, new: rows.Row | None) -> Detail | None:
        """Return the event of a change, or None if the status is what it was or the row is gone."""
        if new is None or (old is not None and old["status"] == new["status"]):
            return None
        detail = events.detail_of(rows.order_of(new))
        detail_type = events.DETAIL_TYPES.get(detail["order"]["status"])
        if detail_type is None:
            # Not as KeyError, whose message is what the row holds.
            raise ValidationError(f"status: got another one; allowed: {', '.join(events.DETAIL_TYPES)}")
        self._checks[detail_type](detail)
        return detail

    def _put(self, changes: Sequence[_Change]) -> tuple[list[_Change], bool]:
        """Return the changes that the bus did not take, and whether it may take others.

        PutEvents succeeds even if entries fail (AWS rule).
        """
        left = list(changes)
        for attempt in range(_TRIES):
            if attempt:
                self._sleep(random.uniform(0.5, 1) * _FIRST_PAUSE_S * 2**attempt)  # noqa: S311 - spreads retries
            try:
                answer = self._client.put_events(
                    Entries=[events.put_events_entry(change.detail, bus=self._bus) for change in left]
                )
            except (BotoCoreError, ClientError) as error:
                too_large = isinstance(error, ClientError) and aws.error_code(error) in _TOO_LARGE
                if too_large and len(left) > 1:
                    return self._put_halves(left)
                # The SDK has repeated what may be repeated.
                logger.exception("bus refused the call", entries=len(left), sequence_number=left[0].sequence_number)
                return left, too_large
            if not answer["FailedEntryCount"]:
                return [], True
            results = list(zip(left, answer["Entries"], strict=True))
            left = [change for change, result in results if "ErrorCode" in result]
            codes = sorted({result.get("ErrorCode", "") for _, result in results} - {""})
            numbers = [change.sequence_number for change in left]
            logger.warning("bus refused entries", entries=len(left), codes=codes, sequence_numbers=numbers)
        return left, len(left) < len(changes)

    def _put_halves(self, changes: list[_Change]) -> tuple[list[_Change], bool]:
        """Find the ones that are too large: PutEvents refuses all entries of a call for one of them."""
        half = len(changes) // 2
        first, first_goes_on = self._put(changes[:half])
        second, second_goes_on = self._put(changes[half:])
        return [*first, *second], first_goes_on and second_goes_on
