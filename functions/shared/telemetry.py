"""Logs, traces and metrics of every function, by Powertools.

Log lines are constant messages with data as keys: `order_id`, `event_id`, `status`, `step`, `code`. No bodies, nothing
personal. `correlation_id` is the order's id from the HTTP request to the mail, elsewhere the request's id. Traces have
an error's type, message and stack. Every handler keeps the tracer from more (`capture_error`, `capture_response`): it
would write down all that hangs on the error, and that is the whole request to SES or DynamoDB if the connection broke.
"""

from __future__ import annotations

import warnings

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

# Most invocations count nothing; a warning in each of them would be noise.
warnings.filterwarnings("ignore", "No application metrics to publish")

logger = Logger(use_rfc3339=True)
tracer = Tracer(patch_modules=["botocore"])
metrics = Metrics()


def correlate(order_id: str) -> None:
    """Let the rest of this invocation's log lines and its trace be found by the order."""
    logger.set_correlation_id(order_id)
    tracer.put_annotation("order_id", order_id)


def count_event(name: str) -> None:
    """Count one business event `name`."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
