"""The outbox relay: publishes an event for each status change in a batch of stream records."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from contracts.orders import DETAIL_TYPES
from publish_order_events.set_aside import SetAside, StreamRecord, sequence_number
from shared import aws, events, rows
from shared.contracts import Check
from shared.errors import ValidationError
from shared.events import Detail
from shared.telemetry import logger

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsResultEntryTypeDef

_MAX_ENTRIES: Final = 10
"""PutEvents accepts at most 10 entries per call (EventBridge API reference)."""
_TOO_LARGE: Final = ("ValidationException", "413")
"""Error codes of a PutEvents call whose entries are too large, alone or together."""
_INVALID_ENTRY: Final = ("InvalidArgument", "MalformedDetail", "RedactionFailure")
"""Error codes of single entries that EventBridge never accepts (EventBridge API reference, PutEventsResultEntry)."""
_TRIES: Final = 3
_FIRST_PAUSE_S: Final = 0.1


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of publishing one batch of stream records."""

    published: list[Detail]
    """The published events of the records before `failed`. Lambda does not deliver these records again."""
    failed: str | None
    """Lowest sequence number of a failed record, or None if none failed. Lambda retries the batch from this record."""


@dataclass(frozen=True, kw_only=True)
class _Change:
    """A status change, and the event about it."""

    record: StreamRecord
    detail: Detail

    @property
    def order_id(self) -> str:
        return self.detail["order"]["order_id"]


@dataclass(frozen=True, kw_only=True)
class _Poison:
    """A stream record for which no event can ever be published, and the reason."""

    record: StreamRecord
    reason: Exception


class _Unfinished(Exception):
    """The record `number` was neither published nor sent to the failure queue, so Lambda must retry it."""

    def __init__(self, number: str) -> None:
        super().__init__(number)
        self.number = number


class Relay:
    """Publishes one event for each status change in a batch of stream records."""

    def __init__(
        self,
        client: EventBridgeClient,
        *,
        bus: str,
        checks: Mapping[str, Check],
        set_aside: SetAside,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._bus = bus
        self._checks = checks
        self._set_aside = set_aside
        self._sleep = sleep

    def publish(self, records: Sequence[StreamRecord]) -> Outcome:
        """Publish one event for each status change in `records`, in stream order.

        A record whose event is invalid or too large goes to the failure queue, and the records after it are still
        published. The relay stops at the first record that it can neither publish nor send to the failure queue. Lambda
        retries the batch from that record. Later changes of an order therefore wait for the earlier ones.
        """
        published: list[_Change] = []
        failed: str | None = None
        try:
            for part in self._parts(records):
                if isinstance(part, _Poison):
                    self._give_up(part.record, part.reason)
                else:
                    self._put(part, published)
        except _Unfinished as unfinished:
            failed = unfinished.number
        return Outcome(
            published=[
                change.detail
                for change in published
                if failed is None or int(sequence_number(change.record)) < int(failed)
            ],
            failed=failed,
        )

    def _parts(self, records: Sequence[StreamRecord]) -> Iterator[list[_Change] | _Poison]:
        """Yield each invalid record, and the status changes of the other records in groups, all in stream order.

        One call of PutEvents publishes one group. A group contains at most one change of each order, because
        EventBridge can refuse one entry of a call and accept a later one. With two changes of an order in one call, the
        later change could be published first.
        """
        group: dict[str, _Change] = {}
        for record in records:
            found = self._read(record)
            if found is None:
                continue
            if group and (isinstance(found, _Poison) or len(group) == _MAX_ENTRIES or found.order_id in group):
                yield list(group.values())
                group = {}
            if isinstance(found, _Poison):
                yield found
            else:
                group[found.order_id] = found
        if group:
            yield list(group.values())

    def _read(self, record: StreamRecord) -> _Change | _Poison | None:
        """Return the status change in `record`, None if there is none, or a _Poison if the event is invalid."""
        stream = record["dynamodb"]
        try:
            detail = self._detail(stream.get("OldImage"), stream.get("NewImage"))
        except Exception as error:  # noqa: BLE001 - one invalid record must not stop the others
            return _Poison(record=record, reason=error)
        return _Change(record=record, detail=detail) if detail else None

    def _detail(self, old: rows.Row | None, new: rows.Row | None) -> Detail | None:
        """Return the event for a changed row, or None if the status is unchanged or the row was deleted."""
        if new is None or (old is not None and old["status"] == new["status"]):
            return None
        detail = events.detail_of(rows.order_of(new))
        detail_type = DETAIL_TYPES.get(detail["order"]["status"])
        if detail_type is None:
            # This message does not quote the status. Error messages are logged, and the log must not contain data from
            # rows. For the same reason, the code does not use `DETAIL_TYPES[...]`, which would raise a KeyError that
            # quotes the status.
            raise ValidationError(f"status: unknown; allowed: {', '.join(DETAIL_TYPES)}")
        self._checks[detail_type](detail)
        return detail

    def _put(self, changes: Sequence[_Change], published: list[_Change]) -> None:
        """Publish `changes`, and append each accepted one to `published`. Retry the entries that EventBridge refuses.

        Raises _Unfinished if EventBridge still refuses a change after the last try.
        """
        left = list(changes)
        for attempt in range(_TRIES):
            if attempt:
                self._sleep(random.uniform(0.5, 1) * _FIRST_PAUSE_S * 2**attempt)  # noqa: S311 - jitter needs no secure random numbers
            try:
                left = self._put_once(left, published)
            except (BotoCoreError, ClientError) as error:
                if isinstance(error, ClientError) and aws.error_code(error) in _TOO_LARGE:
                    self._put_too_large(left, published, error)
                    return
                # The SDK has already retried transient errors, so this method does not repeat the failed call.
                first = sequence_number(left[0].record)
                logger.exception("bus refused the call", entries=len(left), sequence_number=first)
                raise _Unfinished(first) from error
            if not left:
                return
        raise _Unfinished(sequence_number(left[0].record))

    def _put_once(self, changes: Sequence[_Change], published: list[_Change]) -> list[_Change]:
        """Call PutEvents once. Return the changes that EventBridge refused but may accept in a later call."""
        entries = [events.put_events_entry(change.detail, bus=self._bus) for change in changes]
        results = list(zip(changes, self._client.put_events(Entries=entries)["Entries"], strict=True))
        published += [change for change, result in results if "ErrorCode" not in result]
        refused: list[_Change] = []
        for change, result in results:
            if result.get("ErrorCode", "") in _INVALID_ENTRY:
                self._give_up(change.record, _refusal(result))
            elif "ErrorCode" in result:
                refused.append(change)
        if refused:
            codes = sorted({result.get("ErrorCode", "") for _, result in results} - {""})
            numbers = [sequence_number(change.record) for change in refused]
            logger.warning("bus refused entries", entries=len(refused), codes=codes, sequence_numbers=numbers)
        return refused

    def _put_too_large(self, changes: list[_Change], published: list[_Change], error: ClientError) -> None:
        """Publish each half of `changes` separately, because one entry that is too large makes a whole call fail.

        Send a single change that is too large to the failure queue.
        """
        if len(changes) == 1:
            self._give_up(changes[0].record, error)
            return
        half = len(changes) // 2
        self._put(changes[:half], published)
        self._put(changes[half:], published)

    def _give_up(self, record: StreamRecord, reason: Exception) -> None:
        """Send `record` and `reason` to the failure queue. Raises _Unfinished if SQS does not accept the message."""
        try:
            self._set_aside(record, reason)
        except (BotoCoreError, ClientError) as error:
            number = sequence_number(record)
            logger.exception("failure queue refused the record", sequence_number=number)
            raise _Unfinished(number) from error


def _refusal(result: PutEventsResultEntryTypeDef) -> ClientError:
    """Convert the result of a refused entry to a ClientError, the type that the SDK raises if a whole call fails."""
    code, message = result.get("ErrorCode", ""), result.get("ErrorMessage", "")
    return ClientError({"Error": {"Code": code, "Message": message}}, "PutEvents")
