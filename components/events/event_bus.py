"""The event bus, the outbox relay that publishes to it, and the consumers of its events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.aws.iam import allow
from components.aws.messaging import make_topic
from components.aws.monitored import MonitoredQueue, MonitoredRule, MonitoredStream
from components.aws.owner import Owner
from components.events.analytics_queue import make_analytics_queue, make_analytics_targets
from components.events.delivery import Delivery, make_repeated_target, make_target
from components.events.mail_queue import MailQueueArgs, make_mail_queue, make_mail_target
from components.events.outbox import make_relay
from components.events.queue_consumer import QueueConsumer
from components.events.sweep import SweepArgs, make_sweep
from components.events.unfinished_executions import make_fail_order, make_rule
from components.functions.failure_queues import FailureQueue, function_failure_queues
from components.functions.function import (
    AsynchronousInvocation,
    Function,
    FunctionArgs,
    FunctionContext,
    by_source,
)
from contracts.orders import DETAIL_TYPES, EVENT_SOURCE
from contracts.queues import GROUP_DIGITS

_COMPONENT: Final = "events"
_LATE_MESSAGE_S: Final = 600


@dataclass(frozen=True, kw_only=True)
class EventBusArgs:
    """The source of the events, and the resources that the consumers use."""

    context: FunctionContext
    """Settings that all functions of the stack share."""
    orders_table: aws.dynamodb.Table
    """Table of orders. Its stream must contain new and old images."""
    late_orders_index: str
    """Name of the orders table's index of late orders."""
    sweep_minutes: int
    """Minutes from one sweep to the next, 1-5. A sweep restarts late orders."""
    users_table: aws.dynamodb.Table
    """Table of user profiles, which contain the email addresses."""
    idempotency_table: aws.dynamodb.Table
    """Table that records which emails were sent."""
    analytics_bucket: aws.s3.Bucket
    """Bucket that receives one object per event."""
    state_machine_arn: pulumi.Input[str]
    """ARN of the STANDARD state machine."""
    standard_timeout_s: int
    """Time limit of a STANDARD execution in seconds. An order that is PENDING for longer becomes FAILED."""
    archive_retention_days: int
    """Number of days for which the archive stores events for replay."""
    mail_sender: str
    """Sender address (`From`) of the emails."""
    mail_max_send_rate: int
    """Emails per second that SES accepts from the stack."""
    create_identity: bool
    """Create the SES identity of `mail_sender`. SES then sends a verification email to that address."""


class EventBus(pulumi.ComponentResource):
    """The event bus, its archive, the outbox relay, the rules with their targets, and the failure queues."""

    bus_name: pulumi.Output[str]
    """Name of the EventBridge bus."""
    bus_arn: pulumi.Output[str]
    """ARN of the bus."""
    archive_name: pulumi.Output[str]
    """Name of the archive, which stores every event of the bus."""
    success_topic_arn: pulumi.Output[str]
    """ARN of the SNS topic that Lambda notifies when a function has handled an asynchronous event."""
    relay: Function
    """The function `publish_order_events`, which reads the stream of the orders table and publishes the events."""
    functions: Mapping[str, Function]
    """All functions of this component, by the names of their folders."""
    failure_queues: Mapping[str, FailureQueue]
    """All failure queues for functions, rule targets, streams and queues, by name."""
    rules: Mapping[str, MonitoredRule]
    """All rules, by their names without project and stack."""
    queues: Mapping[str, MonitoredQueue]
    """The queues from which Lambda reads messages for functions, by name."""
    streams: Mapping[str, MonitoredStream]
    """The streams from which Lambda reads records for functions, by name."""

    def __init__(self, name: str, args: EventBusArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:EventBus", name, None, opts)
        self._name, self._args = name, args
        self._owner = Owner(naming=args.context.naming, component=_COMPONENT, parent=self)
        rules: dict[str, MonitoredRule] = {}
        self.rules = self._rules = rules
        self._bus = self._make_bus()
        self._archive = self._make_archive()
        self._successes = make_topic("order-successes", self._owner)
        if args.create_identity:
            self._make_identity()
        self.relay, stream_failures = self._make_relay()
        self._analytics = self._make_analytics_queue()
        self._process_order, self._fail_order = self._make_process_order(), self._make_fail_order()
        self._mail = self._make_mail_queue()
        sweep = make_sweep(self._owner, self._sweep_args())
        self.functions = by_source(
            self.relay, self._process_order, self._fail_order, self._mail.function, self._analytics.function
        ) | by_source(sweep.mark_late_orders, sweep.restart_late_orders)
        self.failure_queues = {
            **function_failure_queues(self.functions),
            "publish-order-events-stream": stream_failures,
            "mark-late-orders-stream": sweep.stream_failures,
            "analytics-dlq": self._analytics.failure_queue,
            "send-email-failures": self._mail.failure_queue,
            **self._make_deliveries(),
        }
        self.bus_name, self.bus_arn = self._bus.name, self._bus.arn
        self.archive_name = self._archive.name
        self.success_topic_arn = self._successes.arn
        self.queues = {
            "analytics": _monitored(self._analytics.queue, self._analytics),
            "analytics-delivery": _monitored(self._analytics.undelivered, self._analytics),
            "email": _monitored(self._mail.queue, self._mail),
            "send-email-delivery": _monitored(self._mail.undelivered, self._mail),
        }
        self.streams = {
            "order-stream": MonitoredStream(consumer=self.relay.source, late_after_s=60),
            "order-stream-batches": sweep.stream,
        }
        self._rules["late-orders"] = sweep.rule
        self.register_outputs({"busName": self.bus_name, "successTopicArn": self.success_topic_arn})

    def _make_bus(self) -> aws.cloudwatch.EventBus:
        # The bus has no resource policy, so only roles of this account may put events. Each role's policy limits which
        # events the role may put.
        return aws.cloudwatch.EventBus(
            f"{self._name}-bus",
            name=self._owner.name("bus"),
            description="Events of orders",
            tags=self._owner.tags(),
            opts=self._owner.opts(),
        )

    def _make_archive(self) -> aws.cloudwatch.EventArchive:
        return aws.cloudwatch.EventArchive(
            f"{self._name}-archive",
            name=self._owner.name("events", kind="archive"),
            description="Every event of the bus, for replay",
            event_source_arn=self._bus.arn,
            retention_days=self._args.archive_retention_days,
            opts=self._owner.opts(),
        )

    def _make_identity(self) -> None:
        aws.sesv2.EmailIdentity(
            f"{self._name}-sender",
            email_identity=self._args.mail_sender,
            tags=self._owner.tags(),
            opts=self._owner.opts(),
        )

    def _make_relay(self) -> tuple[Function, FailureQueue]:
        args = self._args
        return make_relay(
            self._owner,
            context=args.context,
            orders_table=args.orders_table,
            bus=self._bus,
        )

    def _sweep_args(self) -> SweepArgs:
        args = self._args
        return SweepArgs(
            context=args.context,
            orders_table=args.orders_table,
            late_orders_index=args.late_orders_index,
            state_machine_arn=args.state_machine_arn,
            minutes=args.sweep_minutes,
        )

    def _make_analytics_queue(self) -> QueueConsumer:
        args = self._args
        return make_analytics_queue(
            self._owner,
            context=args.context,
            bucket=args.analytics_bucket,
        )

    def _make_process_order(self) -> Function:
        args = self._args
        return Function(
            "process-order",
            FunctionArgs(
                context=args.context,
                component=_COMPONENT,
                source="process_order",
                timeout_s=15,
                memory_mb=256,
                # While the EXPRESS execution of an order may still be running, the function raises an error on purpose,
                # so that Lambda retries the event a minute later.
                raises_business_errors=True,
                environment={"ORDERS_TABLE": args.orders_table.name, "STATE_MACHINE_ARN": args.state_machine_arn},
                permissions=[
                    allow("dynamodb:GetItem", on=args.orders_table.arn),
                    allow("states:StartExecution", on=args.state_machine_arn),
                ],
                # The two limits and the function's two failure queues come from the article that describes the design
                # of this platform. If Lambda stops retrying an event, the order stays PENDING until the sweep starts
                # its workflow.
                asynchronous=AsynchronousInvocation(
                    success_topic_arn=self._successes.arn,
                    maximum_event_age_s=300,
                    maximum_retry_attempts=2,
                    dead_letter_queue=True,
                ),
            ),
            self._owner.opts(),
        )

    def _make_fail_order(self) -> Function:
        args = self._args
        return make_fail_order(
            self._owner,
            context=args.context,
            orders_table=args.orders_table,
            standard_timeout_s=args.standard_timeout_s,
        )

    def _make_mail_queue(self) -> QueueConsumer:
        args = self._args
        return make_mail_queue(
            self._owner,
            MailQueueArgs(
                context=args.context,
                users_table=args.users_table,
                idempotency_table=args.idempotency_table,
                archive_retention_days=args.archive_retention_days,
                sender=args.mail_sender,
                max_send_rate=args.mail_max_send_rate,
            ),
        )

    def _make_rule(self, role: str, detail_types: list[str], *, first: str = "") -> aws.cloudwatch.EventRule:
        """Create a rule for events of `detail_types`. The rule matches only events whose id starts with `first`."""
        pattern: dict[str, Any] = {"source": [EVENT_SOURCE], "detail-type": detail_types}
        if first:
            pattern["detail"] = {"event_id": [{"prefix": first}]}
        made = aws.cloudwatch.EventRule(
            f"{self._name}-{role}",
            name=self._owner.name(role, kind="rule"),
            event_bus_name=self._bus.name,
            event_pattern=pulumi.Output.json_dumps(pattern),
            tags=self._owner.tags(),
            opts=self._owner.opts(),
        )
        self._rules[role] = MonitoredRule(rule_name=made.name, bus_name=self._bus.name)
        return made

    def _make_deliveries(self) -> dict[str, FailureQueue]:
        """Create the rules and their targets. Return the dead-letter queues of the targets by name."""
        changes = list(DETAIL_TYPES.values())
        created = self._make_rule("order-created", [DETAIL_TYPES["PENDING"]])
        changed = self._make_rule("order-changed", changes)
        groups = {digit: self._make_rule(f"analytics-{digit}", changes, first=digit) for digit in GROUP_DIGITS}
        ended = make_rule(self._name, self._owner, standard_arn=self._args.state_machine_arn)
        self._rules["execution-ended"] = MonitoredRule(rule_name=ended.name, bus_name=None, has_dead_letters=False)
        make_repeated_target("fail-order", _to_function(ended, self._fail_order), self._owner)
        return {
            "process-order-delivery": self._make_function_target("process-order", created, self._process_order),
            "send-email-delivery": make_mail_target(self._mail, changed, self._owner),
            "analytics-delivery": make_analytics_targets(self._analytics, groups, self._owner),
        }

    def _make_function_target(self, name: str, rule: aws.cloudwatch.EventRule, function: Function) -> FailureQueue:
        return make_target(name, _to_function(rule, function), self._owner)


def _monitored(queue: aws.sqs.Queue, consumer: QueueConsumer) -> MonitoredQueue:
    return MonitoredQueue(queue_name=queue.name, consumer=consumer.function.source, late_after_s=_LATE_MESSAGE_S)


def _to_function(rule: aws.cloudwatch.EventRule, function: Function) -> Delivery:
    return Delivery(
        rule=rule,
        target_arn=function.arn,
        redrive_to=function.arn,
        allowed_by=function.make_permission("event-bus", principal="events.amazonaws.com", source_arn=rule.arn),
    )
