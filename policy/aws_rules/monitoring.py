"""Rules for CloudWatch logs and alarms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aws_rules.model import Resource, of_resource

LOG_GROUP: Final = "aws:cloudwatch/logGroup:LogGroup"
ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
_YEAR_DAYS: Final = 365


@of_resource(LOG_GROUP, ids=("Serverless-CloudWatchLogGroupRetentionPeriod", "CKV_AWS_66"))
def log_group_expires(group: Resource) -> Iterator[str]:
    """A log group sets how long it retains its log lines."""
    if not group.has("retentionInDays"):
        yield "has no retentionInDays, so logs never expire"


@of_resource(LOG_GROUP, ids=("CKV_AWS_338",))
def log_group_keeps_a_year(group: Resource) -> Iterator[str]:
    """A log group retains its log lines for at least a year."""
    days = group.at("retentionInDays") or 0
    # With 0 days, CloudWatch Logs never deletes the log lines. The rule log_group_expires reports such log groups.
    if 0 < days < _YEAR_DAYS:
        yield f"retentionInDays: got {days:g}; allowed: at least {_YEAR_DAYS}"


@of_resource(LOG_GROUP, ids=("CKV_AWS_158",))
def log_group_has_a_customer_key(group: Resource) -> Iterator[str]:
    """A customer managed key encrypts a log group."""
    if not group.has("kmsKeyId"):
        yield "has no kmsKeyId"


@of_resource(ALARM, ids=("CKV_AWS_319",))
def alarm_acts(alarm: Resource) -> Iterator[str]:
    """An alarm has an action, for example a message to an SNS topic."""
    if alarm.at("actionsEnabled") is False or not alarm.has("alarmActions"):
        yield "has no alarmActions, or actionsEnabled is false"


RULES: Final = (log_group_expires, log_group_keeps_a_year, log_group_has_a_customer_key, alarm_acts)
