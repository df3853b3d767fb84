"""How EventBridge hands a rule's events to a target: retried for an hour, then kept in a queue of the target's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.aws.messaging import queue, queue_policy
from components.aws.naming import Naming
from components.functions.failure_queues import FailureQueue, failure_queue

# Within the hour that the archive and the stream are far from losing it; what is left then waits for `make redrive`.
_RETRIED_FOR_S: Final = 3600
_RETRIES: Final = 100


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One target of a rule."""

    naming: Naming
    """Names and tags of the stack."""
    component: str
    """The capability that owns it, for its tags."""
    rule: aws.cloudwatch.EventRule
    """Whose events."""
    target_arn: pulumi.Input[str]
    """What gets them: a function's alias or a queue."""
    redrive_to: pulumi.Output[str]
    """What undelivered events are given to by hand: the alias's ARN or the queue's URL."""
    allowed_by: pulumi.Resource
    """The permission or policy without which the target refuses; it comes first."""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Further arguments of the target, e.g. its input transformer."""


def deliver(name: str, delivery: Delivery, *, parent: pulumi.Resource) -> FailureQueue:
    """Make the target `name` and its dead-letter queue, which takes events of this rule alone."""
    # Standard even for a FIFO target: EventBridge sends to no FIFO dead-letter queue.
    dead_letters = queue(f"{name}-delivery", naming=delivery.naming, component=delivery.component, parent=parent)
    policy = queue_policy(f"{name}-delivery", dead_letters, parent=parent, rules=[delivery.rule.arn])
    aws.cloudwatch.EventTarget(
        f"{name}-target",
        target_id=name,
        rule=delivery.rule.name,
        event_bus_name=delivery.rule.event_bus_name,
        arn=delivery.target_arn,
        dead_letter_config={"arn": dead_letters.arn},
        retry_policy={"maximum_event_age_in_seconds": _RETRIED_FOR_S, "maximum_retry_attempts": _RETRIES},
        **delivery.options,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[policy, delivery.allowed_by]),
    )
    return failure_queue(dead_letters, "delivery", redrive_to=delivery.redrive_to)
