"""Adapters that deploy the resources of CloudWatch Logs to the emulator."""

from __future__ import annotations

from local.adapters.base import Adapter, Made, Props, Put, adapts, changed_tags, pascal
from local.aws import Aws


@adapts("aws:cloudwatch/logGroup:LogGroup")
class LogGroup(Adapter):
    """A log group with its retention."""

    applies = frozenset({"name", "retentionInDays", "logGroupClass", "kmsKeyId", "tags"})
    # On AWS, skipDestroy preserves a log group when the resource is deleted. The adapter ignores skipDestroy, because
    # `make down` deletes all logs of the instance anyway.
    leaves = frozenset({"skipDestroy"})
    replaced_by = frozenset({"name", "logGroupClass", "kmsKeyId"})

    def create(self, aws: Aws, new: Props) -> Made:
        aws(
            "logs",
            "create_log_group",
            logGroupName=new["name"],
            logGroupClass=new.get("logGroupClass"),
            kmsKeyId=new.get("kmsKeyId"),
            tags=new.get("tags"),
        )
        self._retain(aws, new)
        return Made(new["name"], {"arn": aws.arn("logs", f"log-group:{new['name']}")})

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        if old.get("retentionInDays") and not new.get("retentionInDays"):
            aws("logs", "delete_retention_policy", logGroupName=identity)
        self._retain(aws, new)
        arn = aws.arn("logs", f"log-group:{identity}")
        if gone := changed_tags(old, new):
            aws("logs", "untag_resource", resourceArn=arn, tagKeys=gone)
        if new.get("tags"):
            aws("logs", "tag_resource", resourceArn=arn, tags=new["tags"])
        return {}

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        aws("logs", "delete_log_group", logGroupName=identity)

    def _retain(self, aws: Aws, new: Props) -> None:
        if new.get("retentionInDays"):
            aws("logs", "put_retention_policy", logGroupName=new["name"], retentionInDays=new["retentionInDays"])


@adapts("aws:cloudwatch/logMetricFilter:LogMetricFilter")
class LogMetricFilter(Put):
    """A metric filter, which counts matching log lines."""

    applies = frozenset({"name", "logGroupName", "pattern", "metricTransformation"})
    replaced_by = frozenset({"name", "logGroupName"})

    def create(self, aws: Aws, new: Props) -> Made:
        given = pascal(new["metricTransformation"])
        transformation = {f"{key[0].lower()}{key[1:]}": value for key, value in given.items()}
        transformation["metricName"] = transformation.pop("name")
        transformation["metricNamespace"] = transformation.pop("namespace")
        transformation["metricValue"] = transformation.pop("value")
        if "defaultValue" in transformation:
            transformation["defaultValue"] = float(transformation["defaultValue"])
        aws(
            "logs",
            "put_metric_filter",
            logGroupName=new["logGroupName"],
            filterName=new["name"],
            filterPattern=new["pattern"],
            metricTransformations=[transformation],
        )
        return Made(new["name"])

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        aws("logs", "delete_metric_filter", logGroupName=old["logGroupName"], filterName=identity)
