"""Adapters that deploy CloudWatch alarms and dashboards to the emulator."""

from __future__ import annotations

from typing import Any, Final

from local.adapters.base import Made, Props, Put, adapts, only, pascal, pick, tag_list
from local.aws import Aws

_ALARM: Final = {
    "actionsEnabled": "ActionsEnabled",
    "alarmActions": "AlarmActions",
    "alarmDescription": "AlarmDescription",
    "comparisonOperator": "ComparisonOperator",
    "datapointsToAlarm": "DatapointsToAlarm",
    "evaluationPeriods": "EvaluationPeriods",
    "extendedStatistic": "ExtendedStatistic",
    "insufficientDataActions": "InsufficientDataActions",
    "metricName": "MetricName",
    "name": "AlarmName",
    "namespace": "Namespace",
    "okActions": "OKActions",
    "period": "Period",
    "statistic": "Statistic",
    "threshold": "Threshold",
    "thresholdMetricId": "ThresholdMetricId",
    "treatMissingData": "TreatMissingData",
    "unit": "Unit",
}


@adapts("aws:cloudwatch/metricAlarm:MetricAlarm")
class MetricAlarm(Put):
    """An alarm on a metric or on a metric math expression."""

    applies = frozenset({"dimensions", "metricQueries", "tags", *_ALARM})
    replaced_by = frozenset({"name"})

    def create(self, aws: Aws, new: Props) -> Made:
        aws(
            "cloudwatch",
            "put_metric_alarm",
            **pick(new, **_ALARM),
            Dimensions=_dimensions(new.get("dimensions")),
            Metrics=[_query(query) for query in new.get("metricQueries", [])] or None,
            Tags=tag_list(new.get("tags")),
        )
        return Made(new["name"], {"arn": aws.arn("cloudwatch", f"alarm:{new['name']}")})

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        aws("cloudwatch", "delete_alarms", AlarmNames=[identity])


@adapts("aws:cloudwatch/dashboard:Dashboard")
class Dashboard(Put):
    """A CloudWatch dashboard."""

    applies = frozenset({"dashboardName", "dashboardBody"})
    replaced_by = frozenset({"dashboardName"})

    def create(self, aws: Aws, new: Props) -> Made:
        name = new["dashboardName"]
        aws("cloudwatch", "put_dashboard", DashboardName=name, DashboardBody=new["dashboardBody"])
        return Made(name, {"dashboardArn": f"arn:aws:cloudwatch::{aws.account}:dashboard/{name}"})

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        aws("cloudwatch", "delete_dashboards", DashboardNames=[identity])


def _dimensions(given: dict[str, str] | None) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in (given or {}).items()]


def _query(query: Props) -> dict[str, Any]:
    only(query, ("id", "expression", "label", "metric", "period", "returnData"), "a metric query")
    wanted: dict[str, Any] = pascal({key: value for key, value in query.items() if key != "metric"})
    if metric := query.get("metric"):
        only(metric, ("metricName", "namespace", "dimensions", "period", "stat", "unit"), "a metric query's metric")
        wanted["MetricStat"] = {
            "Metric": {
                "MetricName": metric["metricName"],
                "Namespace": metric["namespace"],
                "Dimensions": _dimensions(metric.get("dimensions")),
            },
            **pick(metric, period="Period", stat="Stat", unit="Unit"),
        }
    return wanted
