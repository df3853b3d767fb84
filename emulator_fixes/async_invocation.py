"""Lambda's retries and destinations for asynchronous invocations, which the emulator implements only in part.

`process_order` can fail while an EXPRESS execution is still deciding the order. On AWS, the waits before the retries
are 1 and 2 minutes. An EXPRESS execution of the platform ends within half a minute, so it has ended before the first
retry. In the emulator, the waits are shorter: the first wait is LAMBDA_ASYNC_RETRY_BASE_SECONDS. Before each retry,
this correction therefore also waits until the running EXPRESS executions have ended.

Emulator: The emulator ignores the event-invoke config of an alias and never sends to an on-success destination. It
    sends a failed event either to the on-failure destination or to the dead-letter queue, but not to both. The
    dead-letter queue receives an envelope instead of the event. Each attempt has a new request id. A throttled attempt
    counts as a retry. Each attempt runs the version to which the alias pointed when the event arrived.
AWS: Lambda uses the event-invoke config of the version or alias that was invoked. It reports each event to the
    on-success or on-failure destination. A failed event also goes to the dead-letter queue, without an envelope. All
    attempts have the same request id. Each attempt runs the version to which the alias points at that time. A throttled
    attempt does not count as a retry: the event waits, at most until its maximum age. Lambda uses the function's role
    to send to the destinations and to the dead-letter queue. If the role does not allow sending, Lambda drops the event
    and counts it in the metric DestinationDeliveryFailures or DeadLetterErrors. The metric AsyncEventsDropped counts
    every event that Lambda drops.
Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
Upstream: report as a bug.
"""

from __future__ import annotations

import contextvars
import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from emulator_fixes import internal, nested, replaces
from emulator_fixes.authorization import role_may
from emulator_fixes.deliveries import DeliveryError, count, timestamp, to_destination, to_queue, to_topic
from emulator_fixes.workflow_stop import wait_for_express_executions
from local.patience import PATIENCE

_LOG: Final = logging.getLogger("local.async_invocation")
_lambda: Any = internal("services.lambda_svc")
_unfinished: Final[set[object]] = set()
_SEND: Final = {"sqs": "sqs:SendMessage", "sns": "sns:Publish"}
_request_id: contextvars.ContextVar[str] = contextvars.ContextVar("invocation_request_id", default="")


@replaces("services.lambda_svc.invoke_async_with_retry", "289fe4d3cbd4")
def invoke_async_with_retry(original: Any, function: Any, event: Any) -> None:
    """Start a thread that invokes `function` with `event` and retries if necessary, and return immediately."""
    del original
    run, entry = contextvars.copy_context().run, object()
    _unfinished.add(entry)

    def invoke() -> None:
        try:
            run(_invoke, function, event)
        finally:
            _unfinished.discard(entry)

    threading.Thread(target=invoke, daemon=True).start()


def unfinished() -> int:
    """Return the number of asynchronous events that are being processed or that wait for their next attempt."""
    return len(_unfinished)


@replaces("services.lambda_svc._execute_function_dispatch", "f62cd259213e")
def execute(original: Any, function: Any, config: Any, event: Any, request_id: str, started: float) -> Any:
    """Run an attempt with the request id of its event, so that all attempts have the same id."""
    return original(function, config, event, _request_id.get() or request_id, started)


def _invoke(function: Any, event: Any) -> None:
    config: Any = function.get("config") or function
    account, region = _lambda._account_region_from_function_config(config)
    _lambda._request_account_id.set(account)
    _lambda._request_region.set(region)
    request_id: str = _lambda.new_uuid()
    _request_id.set(request_id)
    settings = _settings(config["FunctionArn"])
    waits = _lambda._LAMBDA_ASYNC_RETRY_BASE_SECONDS, _lambda._LAMBDA_ASYNC_RETRY_MAX_SECONDS
    result, attempts, condition = attempt(
        lambda: _lambda._execute_function(_current(function, config), event), settings, *waits
    )
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": timestamp(),
        "requestContext": {
            "requestId": request_id,
            "functionArn": config["FunctionArn"],
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": config.get("Version", "$LATEST")},
        "responsePayload": result.get("body"),
    }
    if not result.get("error"):
        _send(config, nested(settings, "DestinationConfig", "OnSuccess", "Destination"), record)
        return
    count("AsyncEventsDropped", config["FunctionName"])
    record["responseContext"]["functionError"] = "Unhandled"
    _send(config, nested(settings, "DestinationConfig", "OnFailure", "Destination"), record)
    _send_dead_letter(config, event, request_id, result)


def _current(function: Any, config: Any) -> Any:
    """Return the emulator's current record of the invoked version or alias.

    While the event waited for this attempt, a deployment can have moved the alias to another version.
    """
    name, _, qualifier = config["FunctionArn"].partition(":function:")[2].partition(":")
    found, now = _lambda._get_func_record_for_qualifier(name, qualifier or None)
    if found is None:
        return function
    return _lambda._execution_record_for_config(found, {**now, "FunctionArn": config["FunctionArn"]})


def _settings(function_arn: str) -> Any:
    """Return the event-invoke config of the invoked version or alias, or {} if it has no config."""
    name, _, qualifier = function_arn.partition(":function:")[2].partition(":")
    return nested(_lambda._functions.get(name), "event_invoke_configs", qualifier) or {}


def attempt(invoke: Callable[[], Any], settings: Any, base_s: float, longest_s: float) -> tuple[Any, int, str]:
    """Call `invoke` until an attempt succeeds or the event-invoke config `settings` allows no further retry.

    The first wait takes `base_s` seconds. Each further wait is twice as long, but at most `longest_s`. Returns the last
    result, the number of attempts, and the condition: "Success", "RetriesExhausted" or "EventAgeExceeded".
    """
    retries = int(settings.get("MaximumRetryAttempts", 2))
    ends = time.monotonic() + int(settings.get("MaximumEventAgeInSeconds", 21_600)) * PATIENCE
    attempts = 0
    while True:
        result = invoke()
        # A throttled invocation does not count as an attempt. Lambda retries the event until the event reaches its
        # maximum age.
        attempts += not result.get("throttle")
        if not result.get("error"):
            return result, attempts, "Success"
        if attempts > retries:
            return result, attempts, "RetriesExhausted"
        delay = min(base_s * 2 ** max(attempts - 1, 0), longest_s)
        if time.monotonic() + delay > ends:
            return result, attempts, "EventAgeExceeded"
        wait_for_express_executions()
        time.sleep(delay)


def _send(config: Any, destination: str | None, record: Any) -> None:
    if destination:
        _deliver(config, destination, lambda: to_destination(destination, record), "DestinationDeliveryFailures")


def _send_dead_letter(config: Any, event: Any, request_id: str, result: Any) -> None:
    target = nested(config, "DeadLetterConfig", "TargetArn")
    if not target:
        return
    message = str(nested(result, "body", "errorMessage") or "-")
    attributes = {"RequestID": request_id, "ErrorCode": "200", "ErrorMessage": message[:1024]}
    send = to_queue if ":sqs:" in target else to_topic
    _deliver(config, target, lambda: send(target, json.dumps(event), attributes), "DeadLetterErrors")


def _deliver(config: Any, target: str, send: Callable[[], None], metric: str) -> None:
    """Call `send`, which sends a message to `target`, if the function's role allows the sending.

    If the role does not allow the sending, or if `target` refuses the message, add 1 to the function's metric `metric`.
    """
    name, action = config["FunctionName"], _SEND.get(target.split(":")[2], "*")
    if not role_may(config["Role"], action, target):
        _LOG.error("%s: the execution role does not allow %s on %s, so nothing was sent", name, action, target)
        count(metric, name)
        return
    try:
        send()
    except DeliveryError as error:
        _LOG.error("%s: delivery to %s: %s", name, target, error)
        count(metric, name)
