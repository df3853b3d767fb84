"""Creates targets of EventBridge rules.

EventBridge retries a delivery for six hours, and then sends the event to the dead-letter queue of the target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.aws.messaging import make_queue, make_queue_policy
from components.aws.owner import Owner
from components.functions.failure_queues import FailureQueue, as_failure_queue

# EventBridge retries a delivery that the target throttles or cannot accept for six hours, as long as Lambda retains an
# event. EventBridge then sends the event to the dead-letter queue, which retains the event for 14 days. `make redrive`
# can send the event again. 185 is the highest number of retries that EventBridge allows, so the age ends the retries.
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
    """The permission or policy that lets EventBridge use the target. The permission or policy must exist first."""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Further arguments of `aws.cloudwatch.EventTarget`, such as an input transformer."""


def make_target(name: str, delivery: Delivery, owner: Owner) -> FailureQueue:
    """Create the target `name` and its dead-letter queue, which accepts only events of this rule."""
    return make_targets(name, {name: delivery}, owner)


def make_targets(name: str, deliveries: Mapping[str, Delivery], owner: Owner) -> FailureQueue:
    """Create one target for each entry of `deliveries`, by name, and the dead-letter queue that the targets share.

    The dead-letter queue accepts only events of the targets' rules.
    """
    # EventBridge accepts only standard queues as dead-letter queues, even if the target is a FIFO queue.
    dead_letters = make_queue(f"{name}-delivery", owner)
    rules = [delivery.rule.arn for delivery in deliveries.values()]
    policy = make_queue_policy(f"{name}-delivery", dead_letters, owner, rules=rules)
    for target, delivery in deliveries.items():
        aws.cloudwatch.EventTarget(
            f"{target}-target",
            target_id=target,
            rule=delivery.rule.name,
            event_bus_name=delivery.rule.event_bus_name,
            arn=delivery.target_arn,
            dead_letter_config={"arn": dead_letters.arn},
            retry_policy={"maximum_event_age_in_seconds": _RETRIED_FOR_S, "maximum_retry_attempts": _RETRIES},
            **delivery.options,
            opts=owner.opts(depends_on=[policy, delivery.allowed_by]),
        )
    [redrive_to, *_] = [delivery.redrive_to for delivery in deliveries.values()]
    return as_failure_queue(dead_letters, "delivery", redrive_to=redrive_to)
