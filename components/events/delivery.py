"""Creates targets of EventBridge rules.

EventBridge retries a delivery for six hours, and then sends the event to the dead-letter queue of the target. A target
has no dead-letter queue if the sweep, which restarts late orders, repeats the work of lost events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.aws.messaging import make_queue, make_queue_policy
from components.aws.owner import Owner
from components.functions.failure_queues import FailureQueue, as_failure_queue

# If a target throttles or refuses an event, EventBridge retries the delivery for six hours. After that, EventBridge
# sends the event to the dead-letter queue, which retains it for 14 days. The number of retries is EventBridge's
# maximum, so that only the time limit ends the retries. Lambda also retries asynchronous events for up to six hours.
_RETRIED_FOR_S: Final = 6 * 3600
_RETRIES: Final = 185


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One target of an EventBridge rule."""

    rule: aws.cloudwatch.EventRule
    """The rule whose events the target receives."""
    target_arn: pulumi.Input[str]
    """ARN of the target: a function's alias or a queue."""
    redrive_to: pulumi.Output[str]
    """Where `make redrive` sends undelivered events: the ARN of the alias or the URL of the queue."""
    allowed_by: pulumi.Resource
    """The permission or policy that lets EventBridge use the target. Pulumi creates it before the target."""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Further arguments of `aws.cloudwatch.EventTarget`, such as an input transformer."""


def dead_letters_name(name: str) -> str:
    """Return the logical name of the dead-letter queue for `name`, a target or a group of targets."""
    return f"{name}-delivery"


def make_target(name: str, delivery: Delivery, owner: Owner) -> FailureQueue:
    """Create the target `name`. Return its dead-letter queue, which accepts only events of the target's rule."""
    return make_targets(name, {name: delivery}, owner, make_queue(dead_letters_name(name), owner))


def make_targets(
    name: str, deliveries: Mapping[str, Delivery], owner: Owner, dead_letters: aws.sqs.Queue
) -> FailureQueue:
    """Create one EventBridge target for each entry of `deliveries`. The key is the name of the target.

    All targets use the queue `dead_letters` as their dead-letter queue. It must be a standard queue, even if the target
    is a FIFO queue, because EventBridge accepts no other dead-letter queues. The function also creates the queue's
    policy, which lets only the targets' rules send events. Returns a FailureQueue, which describes the queue.
    """
    rules = [delivery.rule.arn for delivery in deliveries.values()]
    policy = make_queue_policy(dead_letters_name(name), dead_letters, owner, rules=rules)
    for target, delivery in deliveries.items():
        _make_target(target, delivery, owner, depends_on=[policy], dead_letter_config={"arn": dead_letters.arn})
    [redrive_to, *_] = [delivery.redrive_to for delivery in deliveries.values()]
    return as_failure_queue(dead_letters, "delivery", redrive_to=redrive_to)


def make_repeated_target(name: str, delivery: Delivery, owner: Owner) -> None:
    """Create the target `name` without a dead-letter queue.

    Use this function only if the sweep, which restarts late orders, repeats the work of the events that the target
    loses. Such a target needs no redrive.
    """
    _make_target(name, delivery, owner)


def _make_target(
    name: str, delivery: Delivery, owner: Owner, *, depends_on: Sequence[pulumi.Resource] = (), **options: Any
) -> None:
    aws.cloudwatch.EventTarget(
        f"{name}-target",
        target_id=name,
        rule=delivery.rule.name,
        event_bus_name=delivery.rule.event_bus_name,
        arn=delivery.target_arn,
        retry_policy={"maximum_event_age_in_seconds": _RETRIED_FOR_S, "maximum_retry_attempts": _RETRIES},
        **options,
        **delivery.options,
        opts=owner.opts(depends_on=[*depends_on, delivery.allowed_by]),
    )
