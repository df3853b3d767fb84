"""An event source mapping of a DynamoDB stream applies its settings, and reads only as its function's role allows.

Emulator: The emulator retries a failing batch until the batch succeeds or its records are too old. It ignores the
    batching window, the maximum number of attempts, the splitting of a batch, and partial responses
    (ReportBatchItemFailures). It reads the stream without checking the function's role, and repeats a batch with the
    code that the function had at the first attempt.
AWS: Lambda applies all settings of the mapping and reports each discarded batch to the on-failure destination. If the
    maximum number of retries and the maximum record age are both -1, Lambda retries a record until the stream deletes
    it after 24 hours. Lambda reads the stream and sends the report with the function's role. If the role does not allow
    reading the stream, Lambda does not invoke the function, and the records wait. If the role does not allow sending
    the report, Lambda still discards the batch, and counts the lost report in the metric DestinationDeliveryFailures.
    Each attempt runs the version to which the alias points at that time.
Source: https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
Source: https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
Source: https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html (DestinationDeliveryFailures)
Upstream: report as a bug.
"""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from emulator_fixes import internal, nested, replaces
from emulator_fixes.authorization import READ_ACTIONS, role_may
from emulator_fixes.deliveries import DeliveryError, count, timestamp, to_destination

_LOG: Final = logging.getLogger("local.stream_mapping")
_SHARD: Final = "shardId-00000000000000000000-00000000"
# The first and the longest pause between attempts, in seconds. Lambda does not document its pauses. These pauses are
# short so that tests are fast.
_FIRST_PAUSE_S: Final = 0.3
_LONGEST_PAUSE_S: Final = 2.0
_EXPIRES_S: Final = 24 * 3600
"""A stream retains a record for 24 hours (Amazon DynamoDB Developer Guide, "DynamoDB Streams")."""
_lambda: Any = internal("services.lambda_svc")
_dynamodb: Any = internal("services.dynamodb")
_active: set[str] = set()
_guard = threading.Lock()


_unreadable: set[str] = set()
"""UUIDs of the mappings whose function's role may not read the stream."""


@dataclass(frozen=True)
class _Batch:
    mapping: Any
    records: Sequence[Any]


class _Stopped(Exception):
    """The mapping was deleted or disabled, or its function was deleted.

    The message is the sequence number of the first record that is neither processed nor discarded.
    """


@replaces("services.lambda_svc._poll_dynamodb_streams", "2b2460e933a9")
def poll(original: Any) -> bool:
    """Poll each event source mapping once, and return whether a mapping had records."""
    del original
    return any([_poll_mapping(*found) for found in _lambda._iter_all_esms()])  # noqa: C419 - `any` must not skip mappings


def unread(account: str, region: str, mapping: Any) -> int:
    """Return the number of records in the mapping's next batch, including those being processed.

    Records that wait for the end of the batching window do not count.
    """
    records = _next_batch(account, region, mapping)[1]
    return len(records) if _is_due(mapping, records) else 0


def _is_due(mapping: Any, records: Sequence[Any]) -> bool:
    """Return whether the batch is full, or its oldest record has waited for the batching window."""
    window_s = int(mapping.get("MaximumBatchingWindowInSeconds", 0))
    if not records or not window_s or len(records) >= int(mapping.get("BatchSize", 100)):
        return bool(records)
    return time.time() - float(records[0]["dynamodb"]["ApproximateCreationDateTime"]) >= window_s


def _next_batch(account: str, region: str, mapping: Any) -> tuple[int, Sequence[Any]]:
    """Return the stream position of the first unprocessed record, and the records of the next batch."""
    arn: str = mapping.get("EventSourceArn", "")
    if ":dynamodb:" not in arn or not mapping.get("Enabled", True):
        return 0, ()
    _lambda._request_account_id.set(account)
    _lambda._request_region.set(region)
    table = arn.partition(":table/")[2].partition("/")[0]
    if nested(_dynamodb._tables.get(table), "LatestStreamArn") != arn:
        return 0, ()
    position = max(_position(mapping["UUID"], mapping, table), _dynamodb.stream_start_position(table))
    return position, _dynamodb.stream_records_since(table, position, int(mapping.get("BatchSize", 100)))


def _poll_mapping(account: str, region: str, mapping: Any) -> bool:
    identity: str = mapping["UUID"]
    with _guard:
        if identity in _active:
            return False
    position, records = _next_batch(account, region, mapping)
    if not _is_due(mapping, records):
        return False
    function = _function(mapping)
    if function is None or not _may_read(function, mapping):
        return False
    wanted = _lambda._apply_filter_criteria(list(records), mapping)
    with _guard:
        _active.add(identity)
    # A separate thread processes the batch, so that a slow function does not delay other mappings.
    work = (_Batch(mapping, wanted), records, position)
    threading.Thread(target=contextvars.copy_context().run, args=(_process, *work), daemon=True).start()
    return True


def _function(mapping: Any) -> Any:
    """Return the record of the version to which the function's alias points now, or None for a deleted function."""
    function, config = _lambda._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))
    if function is None:
        return None
    return _lambda._execution_record_for_config(function, {**config, "FunctionArn": mapping["FunctionArn"]})


def _may_read(function: Any, mapping: Any) -> bool:
    """Return whether the function's role may read the mapping's stream. Logs a refusal only once."""
    identity, role, stream = mapping["UUID"], function["config"]["Role"], mapping["EventSourceArn"]
    refused = [action for action in READ_ACTIONS["dynamodb"] if not role_may(role, action, stream)]
    if not refused:
        _unreadable.discard(identity)
    elif identity not in _unreadable:
        _unreadable.add(identity)
        name = function["config"]["FunctionName"]
        _LOG.error("%s: the execution role does not allow %s on %s, so records wait", name, refused[0], stream)
    return not refused


def _position(identity: str, mapping: Any, table: str) -> int:
    positions, lock = _lambda._dynamodb_stream_positions, _lambda._dynamodb_stream_positions_lock
    with lock:
        if identity not in positions:
            oldest = mapping.get("StartingPosition") == "TRIM_HORIZON"
            at = _dynamodb.stream_start_position if oldest else _dynamodb.stream_end_position
            positions[identity] = at(table)
        return positions[identity]


def _process(batch: _Batch, records: Sequence[Any], position: int) -> None:
    """Process the batch, and move the mapping's checkpoint past the processed `records`."""
    identity: str = batch.mapping["UUID"]
    done = len(records)
    try:
        if batch.records:
            _work_off(batch)
    except _Stopped as stopped:
        numbers = [_number(record) for record in records]
        done = numbers.index(str(stopped))
    finally:
        with _lambda._dynamodb_stream_positions_lock:
            if identity in _lambda._dynamodb_stream_positions:
                _lambda._dynamodb_stream_positions[identity] = position + done
        with _guard:
            _active.discard(identity)
        _lambda.esm_wake.set()


def _number(record: Any) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


def _work_off(batch: _Batch) -> None:
    """Invoke the function until each record is processed or discarded, in the order of the stream.

    Raises _Stopped if the mapping is deleted or disabled, or if the function is deleted.
    """
    attempts, pause_s = 0, _FIRST_PAUSE_S
    while batch.records:
        function = _function(batch.mapping)
        if function is None or not _is_enabled(batch.mapping):
            raise _Stopped(_number(batch.records[0]))
        result = _lambda._execute_function(function, {"Records": list(batch.records)})
        # A throttled call does not count as an attempt. Lambda retries the batch until its records reach their maximum
        # age (AWS Lambda Developer Guide).
        throttled = bool(result.get("throttle"))
        attempts += not throttled
        failed = bool(result.get("error"))
        if not failed:
            done = _processed(batch, result.get("body"))
            if done == len(batch.records):
                return
            if done:
                # Lambda moves its checkpoint past the processed records, and retries only the remaining ones. It counts
                # the attempts of the remaining records from the beginning. The attempt that has just ended counts as
                # the first.
                batch, attempts, pause_s = _Batch(batch.mapping, batch.records[done:]), 1, _FIRST_PAUSE_S
        if failed and not throttled and batch.mapping.get("BisectBatchOnFunctionError") and len(batch.records) > 1:
            # Splitting a batch does not count as an attempt (AWS Lambda Developer Guide).
            half = len(batch.records) // 2
            for part in (batch.records[:half], batch.records[half:]):
                _work_off(_Batch(batch.mapping, part))
            return
        if condition := given_up(batch.mapping, batch.records[0], attempts, time.time()):
            _report(batch, function["config"], result, condition, attempts)
            return
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _is_enabled(mapping: Any) -> bool:
    """Return whether the mapping still exists and is enabled."""
    found = _lambda._esms.get(mapping["UUID"])
    return found is not None and bool(found.get("Enabled", True))


def _processed(batch: _Batch, answer: Any) -> int:
    """Return how many records from the start of the batch are processed, according to the function's response.

    Without ReportBatchItemFailures, a successful invocation has processed all records.
    """
    if "ReportBatchItemFailures" not in (batch.mapping.get("FunctionResponseTypes") or []):
        return len(batch.records)
    failed = {str(nested(each, "itemIdentifier")) for each in nested(answer, "batchItemFailures") or ()}
    numbers = [_number(record) for record in batch.records]
    if failed - set(numbers):
        # A response that reports a record outside of the batch fails the whole batch (AWS Lambda Developer Guide).
        return 0
    return next((index for index, number in enumerate(numbers) if number in failed), len(numbers))


def given_up(settings: Mapping[str, Any], oldest: Any, attempts: int, now_s: float) -> str:
    """Return why Lambda discards a batch after this number of `attempts`, or "" if Lambda retries the batch.

    `settings` are the settings of the mapping. `oldest` is the first record of the batch. `now_s` is the current time.
    """
    retries = int(settings.get("MaximumRetryAttempts", -1))
    if 0 <= retries < attempts:
        return "RetryAttemptsExhausted"
    longest = int(settings.get("MaximumRecordAgeInSeconds", -1))
    age = now_s - float(oldest["dynamodb"]["ApproximateCreationDateTime"])
    return "RecordAgeExceeded" if age > (longest if longest >= 0 else _EXPIRES_S) else ""


def _report(batch: _Batch, config: Any, result: Any, condition: str, attempts: int) -> None:
    """Report discarded records to the on-failure destination: their stream position, not their content."""
    _LOG.error("%s: discarded %d records: %s", config["FunctionName"], len(batch.records), condition)
    destination = nested(batch.mapping, "DestinationConfig", "OnFailure", "Destination")
    if not destination:
        return
    action = "sqs:SendMessage" if ":sqs:" in destination else "sns:Publish"
    if not role_may(config["Role"], action, destination):
        _LOG.error(
            "%s: the execution role does not allow %s on %s, so nothing was sent",
            config["FunctionName"],
            action,
            destination,
        )
        count("DestinationDeliveryFailures", config["FunctionName"])
        return
    first, last = batch.records[0]["dynamodb"], batch.records[-1]["dynamodb"]
    context = {"statusCode": 200, "executedVersion": config.get("Version", "$LATEST")}
    record = {
        "requestContext": {
            "requestId": _lambda.new_uuid(),
            "functionArn": config["FunctionArn"],
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "responseContext": {**context, **({"functionError": "Unhandled"} if result.get("error") else {})},
        "version": "1.0",
        "timestamp": timestamp(),
        "DDBStreamBatchInfo": {
            "shardId": _SHARD,
            "startSequenceNumber": str(first["SequenceNumber"]),
            "endSequenceNumber": str(last["SequenceNumber"]),
            "approximateArrivalOfFirstRecord": _arrival(first),
            "approximateArrivalOfLastRecord": _arrival(last),
            "batchSize": len(batch.records),
            "streamArn": batch.mapping["EventSourceArn"],
        },
    }
    try:
        to_destination(destination, record)
    except DeliveryError as error:
        _LOG.error("%s: failure destination %s: %s", config["FunctionName"], destination, error)
        count("DestinationDeliveryFailures", config["FunctionName"])


def _arrival(record: Any) -> str:
    return f"{datetime.fromtimestamp(float(record['ApproximateCreationDateTime']), UTC):%Y-%m-%dT%H:%M:%SZ}"
