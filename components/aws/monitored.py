"""Describes the resources in which work can be late or lost. The component Observability derives alarms from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class MonitoredRule:
    """An EventBridge rule with a target."""

    rule_name: pulumi.Output[str]
    """Physical name of the rule."""
    bus_name: pulumi.Output[str] | None
    """Name of the rule's custom bus. None for a rule on the account's default bus."""
    has_dead_letters: bool = True
    """Whether the target has a dead-letter queue. A target needs none if the sweep, which restarts late orders, repeats
    the work of lost events."""


@dataclass(frozen=True, kw_only=True)
class MonitoredQueue:
    """An SQS queue from which Lambda reads messages for a function."""

    queue_name: pulumi.Output[str]
    """Physical name of the queue."""
    consumer: str
    """Folder of the function that receives the messages, for example `record_analytics`."""
    late_after_s: int
    """Time in seconds. An alarm fires if a message has waited in the queue for this time."""


@dataclass(frozen=True, kw_only=True)
class MonitoredStream:
    """A DynamoDB stream from which Lambda reads records for a function."""

    consumer: str
    """Folder of the function that receives the records, for example `publish_order_events`."""
    late_after_s: int
    """Age in seconds. An alarm fires if the function receives records of this age or older."""
    window_s: int = 0
    """Longest time in seconds for which Lambda collects records for one batch."""


@dataclass(frozen=True, kw_only=True)
class MonitoredTable:
    """A DynamoDB table with its global secondary indexes."""

    table_name: pulumi.Output[str]
    """Physical name of the table."""
    indexes: Sequence[str]
    """Names of the global secondary indexes."""
