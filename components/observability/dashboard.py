"""Builds the body of a CloudWatch dashboard (CloudWatch API reference: dashboard body structure and syntax)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi

from components.observability.metrics import Metric

_COLUMNS: Final = 24
_HEIGHT: Final = 6


@dataclass(frozen=True, kw_only=True)
class Widget:
    """One widget of a dashboard, without its position."""

    type: str
    properties: Mapping[str, Any]
    width: int = 8
    """Width in columns. A dashboard has 24 columns."""


def graph(title: str, metrics: Mapping[str, Metric], *, region: str, unit: str = "", period_s: int = 60) -> Widget:
    """Return a line graph of `metrics`, which maps each label to its metric. `unit` is the label of the axis."""
    axis = {"min": 0, "showUnits": False, **({"label": unit} if unit else {})}
    return Widget(
        type="metric",
        properties={
            "title": title,
            "region": region,
            "view": "timeSeries",
            "stacked": False,
            "period": period_s,
            "metrics": [_row(label, metric) for label, metric in metrics.items()],
            "yAxis": {"left": axis},
        },
    )


def alarm_states(title: str, arns: Sequence[pulumi.Input[str]]) -> Widget:
    """Return a widget that shows the state of each alarm. CloudWatch allows at most 100 alarms in a widget."""
    return Widget(type="alarm", properties={"title": title, "alarms": list(arns)}, width=_COLUMNS)


def log_table(title: str, groups: Sequence[pulumi.Input[str]], query: str, *, region: str) -> Widget:
    """Return a table with the results of the CloudWatch Logs Insights query `query` in the log groups `groups`."""
    sources = [part for group in groups for part in ("SOURCE '", group, "' | ")]
    properties = {
        "title": title,
        "region": region,
        "view": "table",
        "query": pulumi.Output.concat(*sources, query),
    }
    return Widget(type="log", properties=properties, width=_COLUMNS)


def body(widgets: Sequence[Widget]) -> pulumi.Output[str]:
    """Return the dashboard as JSON text. Widgets are placed from left to right, then from top to bottom."""
    placed: list[dict[str, Any]] = []
    x, y = 0, 0
    for widget in widgets:
        if x + widget.width > _COLUMNS:
            x, y = 0, y + _HEIGHT
        place = {"x": x, "y": y, "width": widget.width, "height": _HEIGHT}
        placed.append({"type": widget.type, **place, "properties": widget.properties})
        x += widget.width
    return pulumi.Output.json_dumps({"widgets": placed})


def _row(label: str, metric: Metric) -> list[Any]:
    dimensions = [part for pair in metric.dimensions.items() for part in pair]
    return [metric.namespace, metric.name, *dimensions, {"label": label, "stat": metric.statistic}]
