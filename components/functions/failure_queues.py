"""The queues where failed work ends, and how it goes back: what alarms watch and `make redrive` reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws

from components.functions.function import Function

Kind = Literal["delivery", "invocation", "dead-letter", "stream", "queue"]


@dataclass(frozen=True, kw_only=True)
class FailureQueue:
    """One queue of failed work."""

    queue_name: pulumi.Output[str]
    """Physical name, as CloudWatch's dimension QueueName has it."""
    url: pulumi.Output[str]
    """Where its messages are read."""
    arn: pulumi.Output[str]
    """ARN of the queue."""
    kind: Kind
    """What its messages are.

    `delivery`: events that EventBridge could not hand to a target. `invocation`: Lambda's envelope of an event, with
    its error. `dead-letter`: the event alone. `stream`: a range of the table's stream. `queue`: messages of a queue.
    """
    redrive_to: pulumi.Output[str]
    """Where they belong: ARN of a function's alias, or URL of a queue."""


def failure_queue(made: aws.sqs.Queue, kind: Kind, *, redrive_to: pulumi.Output[str]) -> FailureQueue:
    """Describe the queue `made`."""
    return FailureQueue(queue_name=made.name, url=made.url, arn=made.arn, kind=kind, redrive_to=redrive_to)


def of_functions(functions: Mapping[str, Function]) -> dict[str, FailureQueue]:
    """Return the failure queues of `functions`, which are by source name: `users-api-dlq`, `send-email-failures`."""
    found: dict[str, FailureQueue] = {}
    for source, function in functions.items():
        name = source.replace("_", "-")
        found[f"{name}-dlq"] = failure_queue(function.dead_letter_queue, "dead-letter", redrive_to=function.arn)
        if function.failure_queue:
            found[f"{name}-failures"] = failure_queue(function.failure_queue, "invocation", redrive_to=function.arn)
    return found


def described(queues: Mapping[str, FailureQueue]) -> dict[str, dict[str, pulumi.Input[str]]]:
    """Return the stack output `ops.failureQueues`: name -> url, kind, redriveTo."""
    return {
        name: {"url": each.url, "kind": each.kind, "redriveTo": each.redrive_to}
        for name, each in sorted(queues.items())
    }
