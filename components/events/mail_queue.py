"""The queue for emails, and its consumer, the function `send_email`, which sends at the rate that SES allows."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.iam import allow
from components.aws.messaging import FOURTEEN_DAYS_S, make_queue_policy
from components.aws.owner import Owner
from components.events.delivery import Delivery, make_targets
from components.events.queue_consumer import (
    LARGEST_BATCH,
    LEAST_CONCURRENCY,
    QueueConsumer,
    QueueConsumerArgs,
    make_queue_consumer,
)
from components.functions.failure_queues import FailureQueue
from components.functions.function import FunctionContext

_SOURCE: Final = "send_email"
_TARGET: Final = "send-email"
_TIMEOUT_S: Final = 60
_DAY_S: Final = 86_400
# Assumed duration of one email in seconds, from which `pace` calculates the concurrency. An email usually takes only
# about 90 ms (tools/cost/assumptions.toml). The assumption is higher, so that the function reaches the send rate even
# if its calls are slow.
_MAIL_S: Final = 0.25
# Share of the send rate that the function uses. The duration of SES calls varies. Even if the function starts its calls
# at equal intervals, two emails can reach SES at a shorter interval. The unused share leaves room for such emails.
_USED: Final = 0.95
# Seconds of the function's time limit that are reserved for slow calls. A batch is small enough that the pauses between
# its emails fit into the rest of the time limit.
_RESERVE_S: Final = 20


@dataclass(frozen=True, kw_only=True)
class MailQueueArgs:
    """The tables and settings of the function `send_email`."""

    context: FunctionContext
    """Settings that all functions of the stack share."""
    users_table: aws.dynamodb.Table
    """Table of user profiles, which contain the email addresses."""
    idempotency_table: aws.dynamodb.Table
    """Table that records which emails were sent."""
    archive_retention_days: int
    """Number of days for which the archive stores events for replay."""
    sender: str
    """Sender address (`From`) of the emails."""
    max_send_rate: int
    """Emails per second that SES accepts from the stack."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """The limits with which `send_email` stays within a send rate."""

    concurrency: int
    """Highest number of concurrent invocations."""
    mail_ms: int
    """Shortest time between two emails of one execution environment, in milliseconds."""
    batch: int
    """Largest number of messages in a batch."""


def pace(max_send_rate: int, timeout_s: int) -> Pace:
    """Return the limits with which `send_email` sends at most `max_send_rate` emails per second.

    `timeout_s` is the time limit of the function in seconds. Each of n concurrent invocations sends at most
    0.95 x max_send_rate / n emails per second. The factor 0.95 is `_USED`.
    """
    concurrency = max(LEAST_CONCURRENCY, ceil(max_send_rate * _MAIL_S))
    seconds = concurrency / (max_send_rate * _USED)
    batch = min(LARGEST_BATCH, max(1, int((timeout_s - _RESERVE_S) / seconds)))
    return Pace(concurrency=concurrency, mail_ms=ceil(seconds * 1000), batch=batch)


def remembered_days(archive_retention_days: int) -> int:
    """Return for how many days send_email must remember each sent email, so that no replay sends the email again.

    The function adds up the longest times that an event can spend in the archive and in queues. A replay can start on
    the last day for which the archive stores the event. EventBridge tries to deliver the replayed event for up to six
    hours (counted as one day). The event can then wait up to 14 days in each of these queues, one after the other: the
    dead-letter queue of the target, the queue of send_email, its failure queue, and, after a redrive, again the queue
    of send_email.
    """
    return archive_retention_days + 1 + 4 * FOURTEEN_DAYS_S // _DAY_S


def make_mail_queue(owner: Owner, args: MailQueueArgs) -> QueueConsumer:
    """Create the queue, its failure queue, and the function `send_email`."""
    context = args.context
    identities = pulumi.Output.concat(f"arn:aws:ses:{context.region}:", context.account_id, ":identity/*")
    pace_ = pace(args.max_send_rate, context.timeout_s(_SOURCE, _TIMEOUT_S))
    # In release 0.1.0, the failure queue was a child of the function in Pulumi's state. With the alias, an update from
    # that release keeps the queue and its messages.
    former_parent = pulumi.create_urn("send-email", "orders:index:Function", owner.parent)
    return make_queue_consumer(
        "email",
        "send-email-failures",
        _TARGET,
        owner,
        QueueConsumerArgs(
            context=context,
            source=_SOURCE,
            timeout_s=_TIMEOUT_S,
            concurrency=pace_.concurrency,
            batch=pace_.batch,
            environment={
                "USERS_TABLE": args.users_table.name,
                "IDEMPOTENCY_TABLE": args.idempotency_table.name,
                "REMEMBERED_DAYS": str(remembered_days(args.archive_retention_days)),
                "MAIL_SENDER": args.sender,
                "MAIL_MS": str(pace_.mail_ms),
            },
            permissions=[
                allow("dynamodb:GetItem", on=[args.users_table.arn, args.idempotency_table.arn]),
                allow("dynamodb:PutItem", "dynamodb:UpdateItem", on=args.idempotency_table.arn),
                # This condition restricts the sender's address (From). A list of identities could not: SES checks the
                # permission either for the identity of the address or for the identity of its domain. In the sandbox,
                # SES also checks it for the recipient's identity.
                allow("ses:SendEmail", on=identities, when={"StringEquals": {"ses:FromAddress": args.sender}}),
            ],
            failures_aliases=[pulumi.Alias(parent=former_parent)],
            forwards_direct_events=True,
        ),
    )


def make_mail_target(consumer: QueueConsumer, rule: aws.cloudwatch.EventRule, owner: Owner) -> FailureQueue:
    """Let `rule` send its events to the queue. Return the dead-letter queue of the target."""
    queue = consumer.queue
    delivery = Delivery(
        rule=rule,
        target_arn=queue.arn,
        redrive_to=queue.url,
        allowed_by=make_queue_policy("email", queue, owner, rules=[rule.arn]),
    )
    return make_targets(_TARGET, {_TARGET: delivery}, owner, consumer.undelivered)
