"""A function with an SQS queue in front of it.

Lambda retries a failed asynchronous event only twice, within minutes. A queue instead stores an event for up to 14
days. It delivers the event again if the function fails, and moves the event to the failure queue after the last
delivery. The queue also limits the concurrency of the function.

If the queue's policy does not allow a delivery, EventBridge does not retry the delivery. It immediately sends the event
to the dead-letter queue of the target. The function also consumes this dead-letter queue, so nobody has to redrive the
event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.iam import Statement, allow
from components.aws.messaging import make_queue, make_queue_policy
from components.aws.owner import Owner
from components.events.delivery import dead_letters_name
from components.functions.failure_queues import FailureQueue, as_failure_queue
from components.functions.function import Function, FunctionArgs, FunctionContext
from contracts.queues import RECEIVED_AT_MOST

LARGEST_BATCH: Final = 10
"""Largest batch of a FIFO queue, and of a standard queue without a batching window."""
LEAST_CONCURRENCY: Final = 2
"""Smallest value that Lambda accepts as the maximum concurrency of an event source mapping."""
# AWS recommends a visibility timeout of six times the function's timeout (AWS Lambda Developer Guide, "SQS event
# sources").
_VISIBILITY_PER_TIMEOUT: Final = 6


@dataclass(frozen=True, kw_only=True)
class QueueConsumerArgs:
    """The queue and the function that consumes it."""

    context: FunctionContext
    """Settings that all functions of the stack share."""
    source: str
    """Folder of the function under functions/, for example `send_email`."""
    timeout_s: int
    """Seconds after which Lambda ends an invocation. A stack can override the timeout."""
    concurrency: int
    """Highest number of batches that the function handles at the same time (minimum 2)."""
    batch: int = LARGEST_BATCH
    """Largest number of messages in a batch."""
    fifo: bool = False
    """Create FIFO queues."""
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    """Environment variables in addition to those for the queue."""
    permissions: Sequence[Statement] = ()
    """Permissions in addition to those for the queue."""
    forwards_direct_events: bool = False
    """Let the function send messages to its own queue. While an update moves the target of a rule from the function to
    the queue, the rule still invokes the function directly. The function then sends the event to its queue."""
    failures_aliases: Sequence[pulumi.Alias] = ()
    """Pulumi aliases for earlier parents of the failure queue, so that an update keeps the queue and its policy."""


@dataclass(frozen=True, kw_only=True)
class QueueConsumer:
    """A queue, the function that consumes it, and its failure queue."""

    queue: aws.sqs.Queue
    """The queue. The caller must add a policy that lets the EventBridge rules send messages."""
    undelivered: aws.sqs.Queue
    """The dead-letter queue for the targets of the EventBridge rules. The function consumes this queue too."""
    function: Function
    """The consumer."""
    failure_queue: FailureQueue
    """Description of the failure queue for alarms and for `make redrive`."""


def make_queue_consumer(
    name: str, failures_name: str, target_name: str, owner: Owner, args: QueueConsumerArgs
) -> QueueConsumer:
    """Create the queue `name`, its failure queue `failures_name`, and the function that consumes the queue.

    `target_name` is the name of the EventBridge target, or of the group of targets, that sends events to the queue.
    If EventBridge cannot deliver an event to the queue, it sends the event to the dead-letter queue of these targets.
    `make_queue_consumer` creates this dead-letter queue too, because the consumer also reads from it.

    The consumer reads these environment variables: QUEUE_URL, FAILURE_QUEUE_URL and RECEIVED_AT_MOST, the number of
    deliveries after which the redrive policy of the queue moves a message to the failure queue.
    """
    hidden_s = _VISIBILITY_PER_TIMEOUT * args.context.timeout_s(args.source, args.timeout_s)
    failures = make_queue(failures_name, owner, fifo=args.fifo, aliases=args.failures_aliases)
    make_queue_policy(failures_name, failures, owner, aliases=args.failures_aliases)
    queue = make_queue(
        name,
        owner,
        fifo=args.fifo,
        visibility_timeout_s=hidden_s,
        redrive_to=failures,
        max_receive_count=RECEIVED_AT_MOST,
    )
    # SQS does not accept a FIFO queue as the dead-letter queue of a standard queue, and the failure queue can be a FIFO
    # queue. The standard queue below therefore has no redrive policy: the function itself moves a message to the
    # failure queue after a final error or the last delivery.
    undelivered = make_queue(dead_letters_name(target_name), owner, visibility_timeout_s=hidden_s)
    function = Function(
        args.source.replace("_", "-"),
        FunctionArgs(
            context=args.context,
            component=owner.component,
            source=args.source,
            timeout_s=args.timeout_s,
            memory_mb=256,
            environment={
                "QUEUE_URL": queue.url,
                "FAILURE_QUEUE_URL": failures.url,
                "RECEIVED_AT_MOST": str(RECEIVED_AT_MOST),
                **args.environment,
            },
            permissions=[
                # The function itself moves invalid messages to the failure queue, together with the error. SQS's own
                # redrive policy would move them without the error, and only after the last delivery.
                allow("sqs:SendMessage", on=[failures.arn, *([queue.arn] if args.forwards_direct_events else [])]),
                allow(
                    "sqs:ReceiveMessage",
                    "sqs:DeleteMessage",
                    "sqs:GetQueueAttributes",
                    "sqs:ChangeMessageVisibility",
                    on=[queue.arn, undelivered.arn],
                ),
                *args.permissions,
            ],
        ),
        owner.opts(),
    )
    for role, source, concurrency in (
        ("queue", queue, args.concurrency),
        # Few events arrive in the dead-letter queue of the targets, so the lowest concurrency is enough.
        ("delivery", undelivered, LEAST_CONCURRENCY),
    ):
        aws.lambda_.EventSourceMapping(
            f"{args.source.replace('_', '-')}-{role}",
            event_source_arn=source.arn,
            function_name=function.arn,
            batch_size=args.batch,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config={"maximum_concurrency": concurrency},
            tags=owner.tags(),
            opts=owner.opts(),
        )
    return QueueConsumer(
        queue=queue,
        undelivered=undelivered,
        function=function,
        failure_queue=as_failure_queue(failures, "queue", redrive_to=queue.url),
    )
