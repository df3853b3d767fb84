"""An event source mapping of a DynamoDB stream obeys its settings for batches, retries and failures.

Emulator: The emulator retries a failing batch until the batch succeeds or its records are too old. It ignores the
    batching window, the maximum number of attempts, the splitting of a batch, and partial responses
    (ReportBatchItemFailures).
AWS: Lambda applies all of these settings and reports each discarded batch to the on-failure destination.
Source: https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
Source: https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
Upstream: report as a bug.
"""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from emulator_fixes import internal, nested, replaces
from emulator_fixes.authorization import role_may
from emulator_fixes.deliveries import DeliveryError, timestamp, to_destination

_LOG: Final = logging.getLogger("local.stream_mapping")
_SHARD: Final = "shardId-00000000000000000000-00000000"
# The pause between attempts, in seconds. Lambda and the emulator itself wait longer (the emulator waits 1 s). With a
# shorter pause, retries end sooner.
_PAUSE_S: Final = 0.3
_lambda: Any = internal("services.lambda_svc")
_dynamodb: Any = internal("services.dynamodb")
_active: set[str] = set()
_guard = threading.Lock()


@dataclass(frozen=True)
class _Batch:
    mapping: Any
    function: Any
    records: Sequence[Any]


@replaces("services.lambda_svc._poll_dynamodb_streams", "2b2460e933a9")
def poll(original: Any) -> bool:
    """Poll each event source mapping once, and return whether a mapping had records."""
    del original
    return any([_poll_mapping(*found) for found in _lambda._iter_all_esms()])  # noqa: C419 - `any` must not skip mappings


def unread(account: str, region: str, mapping: Any) -> int:
    """Return the number of records in the mapping's next batch, including those in processing.

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
    function, config = _lambda._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))
    if function is None:
        return False
    wanted = _lambda._apply_filter_criteria(list(records), mapping)
    record = _lambda._execution_record_for_config(function, {**config, "FunctionArn": mapping["FunctionArn"]})
    with _guard:
        _active.add(identity)
    # A separate thread processes the batch, so that a slow function does not delay other mappings.
    work = (_Batch(mapping, record, wanted), identity, position + len(records))
    threading.Thread(target=contextvars.copy_context().run, args=(_process, *work), daemon=True).start()
    return True


def _position(identity: str, mapping: Any, table: str) -> int:
    positions, lock = _lambda._dynamodb_stream_positions, _lambda._dynamodb_stream_positions_lock
    with lock:
        if identity not in positions:
            oldest = mapping.get("StartingPosition") == "TRIM_HORIZON"
            at = _dynamodb.stream_start_position if oldest else _dynamodb.stream_end_position
            positions[identity] = at(table)
        return positions[identity]


def _process(batch: _Batch, identity: str, next_position: int) -> None:
    try:
        if batch.records:
            _work_off(batch)
        with _lambda._dynamodb_stream_positions_lock:
            _lambda._dynamodb_stream_positions[identity] = next_position
    finally:
        with _guard:
            _active.discard(identity)
        _lambda.esm_wake.set()


def _work_off(batch: _Batch) -> None:
    """Invoke the function until each record is processed or discarded, in the order of the stream."""
    attempts = 0
    while batch.records:
        result = _lambda._execute_function(batch.function, {"Records": list(batch.records)})
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
                # The checkpoint moves behind the processed records. For the remaining records, a new count of attempts
                # starts with this attempt.
                batch, attempts = _Batch(batch.mapping, batch.function, batch.records[done:]), 1
        if failed and not throttled and batch.mapping.get("BisectBatchOnFunctionError") and len(batch.records) > 1:
            # Splitting a batch does not count as an attempt (AWS Lambda Developer Guide).
            half = len(batch.records) // 2
            for part in (batch.records[:half], batch.records[half:]):
                _work_off(_Batch(batch.mapping, batch.function, part))
            return
        if condition := _given_up(batch, attempts):
            _report(batch, result, condition, attempts)
            return
        time.sleep(_PAUSE_S)


def _processed(batch: _Batch, answer: Any) -> int:
    """Return how many records from the start of the batch are processed, according to the function's response.

    Without ReportBatchItemFailures, a successful invocation has processed all records.
    """
    if "ReportBatchItemFailures" not in (batch.mapping.get("FunctionResponseTypes") or []):
        return len(batch.records)
    failed = {str(nested(each, "itemIdentifier")) for each in nested(answer, "batchItemFailures") or ()}
    numbers = [str(record["dynamodb"]["SequenceNumber"]) for record in batch.records]
    if failed - set(numbers):
        # A response that reports a record outside of the batch fails the whole batch (AWS Lambda Developer Guide).
        return 0
    return next((index for index, number in enumerate(numbers) if number in failed), len(numbers))


def _given_up(batch: _Batch, attempts: int) -> str:
    retries = int(batch.mapping.get("MaximumRetryAttempts", -1))
    if 0 <= retries < attempts:
        return "RetryAttemptsExhausted"
    age = int(batch.mapping.get("MaximumRecordAgeInSeconds", -1))
    if 0 <= age < time.time() - float(batch.records[0]["dynamodb"]["ApproximateCreationDateTime"]):
        return "RecordAgeExceeded"
    return ""


def _report(batch: _Batch, result: Any, condition: str, attempts: int) -> None:
    """Report discarded records to the on-failure destination: their stream position, not their content."""
    config: Any = batch.function["config"]
    _LOG.error("%s: gave up %d records: %s", config["FunctionName"], len(batch.records), condition)
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


def _arrival(record: Any) -> str:
    return f"{datetime.fromtimestamp(float(record['ApproximateCreationDateTime']), UTC):%Y-%m-%dT%H:%M:%SZ}"
