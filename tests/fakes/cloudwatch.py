"""Simulates when CloudWatch receives the metrics of SQS queues, and when its alarms change their state.

The unit of time is one minute. All rules are from the Amazon SQS Developer Guide ("Available CloudWatch metrics") and
the Amazon CloudWatch User Guide ("Alarm evaluation", "Configuring how CloudWatch alarms treat missing data").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

ACTIVE_FOR: Final = 6 * 60
"""Minutes after the last API call of a queue for which CloudWatch receives its metrics."""
LATE_BY: Final = 15
"""Minutes by which the first data points of a queue are late after the queue was inactive."""
_STATISTICS: Final = {"Sum": sum, "Maximum": max}
_EXPRESSIONS: Final = {"SUM(FILL(METRICS(), 0))": sum, "MAX(FILL(METRICS(), 0))": max}

MetricKey = tuple[str, str, frozenset[tuple[str, str]]]
"""Namespace, name and dimensions of a metric."""


def key(namespace: str, name: str, **dimensions: str) -> MetricKey:
    return (namespace, name, frozenset(dimensions.items()))


@dataclass
class Metrics:
    """All data points that CloudWatch has received."""

    points: defaultdict[MetricKey, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    """The value of each metric by minute."""

    def add(self, metric: MetricKey, values: Mapping[int, float]) -> None:
        self.points[metric].update(values)

    def value(self, metric: Mapping[str, Any], statistic: str, end: int) -> float | None:
        """Return the `statistic` of a metric over the period that ends at the minute `end`.

        `metric` describes the metric and its period. The result is None if the period contains no data.
        """
        points = self.points[key(metric["namespace"], metric["metricName"], **metric.get("dimensions", {}))]
        found = [points[minute] for minute in range(end - metric["period"] // 60, end) if minute in points]
        return _STATISTICS[statistic](found) if found else None


@dataclass
class Alarm:
    """A metric alarm with the provider's arguments `inputs`."""

    inputs: Mapping[str, Any]
    metrics: Metrics
    state: str = "INSUFFICIENT_DATA"

    def evaluate(self, minute: int) -> str:
        """Set and return the state of the alarm at `minute`."""
        count = self.inputs["evaluationPeriods"]
        period = self._queries()[0]["period"] // 60
        values = [self._value(minute - number * period) for number in range(count)]
        if self.inputs["treatMissingData"] == "ignore" and None in values:
            assert count == 1, "for several periods, the rule for ignored data is not simulated"
            return self.state
        reached = sum(value is not None and value >= self.inputs["threshold"] for value in values)
        self.state = "ALARM" if reached >= self.inputs.get("datapointsToAlarm", count) else "OK"
        return self.state

    def _queries(self) -> Sequence[Mapping[str, Any]]:
        queries = self.inputs.get("metricQueries")
        return [query["metric"] for query in queries if "metric" in query] if queries else [self.inputs]

    def _value(self, end: int) -> float | None:
        if "metricQueries" not in self.inputs:
            return self.metrics.value(
                self.inputs, self.inputs.get("statistic") or self.inputs["extendedStatistic"], end
            )
        (expression,) = (query["expression"] for query in self.inputs["metricQueries"] if "expression" in query)
        return _EXPRESSIONS[expression](
            [self.metrics.value(metric, metric["stat"], end) or 0 for metric in self._queries()]
        )


def visible_messages(calls: Mapping[int, int], end: int) -> dict[int, float]:
    """Return the data points of ApproximateNumberOfMessagesVisible of a queue before the minute `end`.

    `calls` maps each minute with an API call of the queue, such as SendMessage, to the number of messages in the queue
    after the call.
    """
    return dict(_points(sorted(calls.items()), end))


def _points(calls: Sequence[tuple[int, int]], end: int) -> Iterator[tuple[int, float]]:
    activated = last = -ACTIVE_FOR - 1
    for number, (minute, messages) in enumerate(calls):
        activated = minute if minute - last > ACTIVE_FOR else activated
        last = minute
        until = calls[number + 1][0] if number + 1 < len(calls) else end
        first = max(minute, activated + LATE_BY)
        yield from ((at, float(messages)) for at in range(first, min(until, last + ACTIVE_FOR, end)))
