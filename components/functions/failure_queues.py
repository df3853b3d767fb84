"""Describes the failure queues, which receive failed work: events, messages and stream records.

An alarm fires when a failure queue is not empty. After the fault is repaired, an operator runs `make redrive`, which
sends the failed work to its function or queue again.
"""

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
    """One failure queue: its name, URL and ARN, the kind of its messages, and where to redrive them."""

    queue_name: pulumi.Output[str]
    """Physical name of the queue, which CloudWatch uses as the dimension `QueueName`."""
    url: pulumi.Output[str]
    """URL of the queue."""
    arn: pulumi.Output[str]
    """ARN of the queue."""
    kind: Kind
    """What the messages of the queue contain.

    `delivery`: events that EventBridge could not deliver to a target. `invocation`: the record that Lambda sends to an
    on-failure destination, with the event and its error. `dead-letter`: the event of a failed asynchronous invocation,
    without its error. `stream`: an invalid stream record with its error, or Lambda's report with the position of a
    batch of records in the stream. `queue`: messages that a queue consumer could not handle.
    """
    redrive_to: pulumi.Output[str]
    """Where `make redrive` sends the messages: the ARN of a function's alias or the URL of a queue."""


def as_failure_queue(made: aws.sqs.Queue, kind: Kind, *, redrive_to: pulumi.Output[str]) -> FailureQueue:
    """Return the description of the SQS queue `made`, which is a failure queue of this `kind`."""
    return FailureQueue(queue_name=made.name, url=made.url, arn=made.arn, kind=kind, redrive_to=redrive_to)


def function_failure_queues(functions: Mapping[str, Function]) -> dict[str, FailureQueue]:
    """Return the failure queues of `functions` by name, for example `process-order-failures`.

    `functions` is keyed by the folder of the function.
    """
    found: dict[str, FailureQueue] = {}
    for source, function in functions.items():
        name = source.replace("_", "-")
        if function.dead_letter_queue:
            found[f"{name}-dlq"] = as_failure_queue(function.dead_letter_queue, "dead-letter", redrive_to=function.arn)
        if function.failure_queue:
            found[f"{name}-failures"] = as_failure_queue(function.failure_queue, "invocation", redrive_to=function.arn)
    return found


def as_stack_output(queues: Mapping[str, FailureQueue]) -> dict[str, dict[str, pulumi.Input[str]]]:
    """Return the stack output `ops.failureQueues`: url, kind and redriveTo of each failure queue, by name."""
    return {
        name: {"url": each.url, "kind": each.kind, "redriveTo": each.redrive_to}
        for name, each in sorted(queues.items())
    }
