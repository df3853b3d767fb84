"""EventBridge checks permissions before a delivery, and sends undelivered events to the target's dead-letter queue.

Emulator: The emulator invokes a function synchronously and without retries. It ignores the resource policies of
    functions and queues, and sends to FIFO queues without deduplication, in a message group that it chooses itself. It
    stores the dead-letter queue of a target but never sends to this queue.
AWS: EventBridge checks the resource policies, invokes functions asynchronously, and uses the message group that the
    target defines. If it cannot deliver an event, it sends the event to the target's dead-letter queue.
Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
Upstream: report as a bug.
"""

from __future__ import annotations

import contextvars
import json
import logging
from dataclasses import dataclass
from typing import Any, Final

from emulator_fixes import internal, nested, replaces
from emulator_fixes.authorization import service_may
from emulator_fixes.deliveries import DeliveryError, to_queue

_LOG: Final = logging.getLogger("local.event_targets")
_PRINCIPAL: Final = "events.amazonaws.com"
_lambda: Any = internal("services.lambda_svc")
_sqs: Any = internal("services.sqs")
_events: Any = internal("services.eventbridge")


@dataclass(frozen=True)
class _Delivery:
    target: Any
    rule: Any
    event: str
    """The event as the bus received it, before the target's input transformation."""


_delivery: contextvars.ContextVar[_Delivery | None] = contextvars.ContextVar("event_delivery", default=None)


@replaces("services.eventbridge._invoke_target", "550e304af080")
def invoke_target(original: Any, target: Any, event: Any, rule: Any, view: Any = None) -> None:
    """Remember the target and the event, so that a failed delivery can go to the dead-letter queue."""
    view = view or _events._pattern_event_view(event)
    token = _delivery.set(_Delivery(target=target, rule=rule, event=json.dumps(view.event_with_detail())))
    try:
        original(target, event, rule, view)
    finally:
        _delivery.reset(token)


@replaces("services.eventbridge._dispatch_to_lambda", "1f95adbaed3a")
def dispatch_to_lambda(original: Any, arn: str, payload: str) -> None:
    """Invoke the function asynchronously if the function's policy allows the rule to invoke it."""
    del original
    function, config, _ = _lambda._get_func_record_for_ref(arn)
    if not function:
        _undelivered("NO_RESOURCE", f"the function {arn} does not exist")
        return
    policy = _lambda._get_base_func_record_for_ref(arn)[0]["policy"]
    if not service_may(policy, _PRINCIPAL, "lambda:InvokeFunction", arn, _rule_arn()):
        _undelivered("NO_PERMISSIONS", f"the policy of {arn} does not allow {_rule_arn()} to invoke the function")
        return
    record = _lambda._execution_record_for_config(function, {**config, "FunctionArn": arn})
    _lambda.invoke_async_with_retry(record, json.loads(payload))


@replaces("services.eventbridge._dispatch_to_sqs", "eb75981283a2")
def dispatch_to_sqs(original: Any, spec: Any, payload: str, parameters: Any = None) -> None:
    """Send the event to the queue if the queue's policy allows the rule to send. SQS can still refuse the message."""
    del original
    arn = str(spec)
    if _sqs._queue_by_arn(arn) is None:
        _undelivered("NO_RESOURCE", f"the queue {arn} does not exist")
        return
    if not _may_send(arn):
        _undelivered("NO_PERMISSIONS", f"the policy of {arn} does not allow {_rule_arn()} to send")
        return
    try:
        to_queue(arn, payload, group=nested(parameters, "MessageGroupId"))
    except DeliveryError as error:
        _undelivered(error.code, error.message)


def _undelivered(code: str, message: str) -> None:
    """Send the event to the target's dead-letter queue, if there is one and its policy allows the rule to send."""
    delivery = _delivery.get()
    if delivery is None:
        return
    _LOG.error("rule %s: %s: %s", _rule_arn(), code, message)
    queue = nested(delivery.target, "DeadLetterConfig", "Arn")
    if not queue:
        return
    if not _may_send(queue):
        _LOG.error(
            "rule %s: the policy of the dead-letter queue %s does not allow the rule to send", _rule_arn(), queue
        )
        return
    attributes = {
        "RULE_ARN": _rule_arn(),
        "TARGET_ARN": delivery.target["Arn"],
        "ERROR_CODE": code,
        "ERROR_MESSAGE": message,
    }
    try:
        to_queue(queue, delivery.event, attributes)
    except DeliveryError as error:
        _LOG.error("rule %s: dead-letter queue: %s", _rule_arn(), error)


def _rule_arn() -> str:
    delivery = _delivery.get()
    return str(delivery.rule.get("Arn", "")) if delivery else ""


def _may_send(queue_arn: str) -> bool:
    found = _sqs.queue_policy_for_arn(queue_arn)
    return found is not None and service_may(found[0], _PRINCIPAL, "sqs:SendMessage", queue_arn, _rule_arn())
