"""Logs, traces and metrics of every function, recorded with Powertools for AWS Lambda.

Log messages are constant, and data goes into keys such as `order_id`, `event_id`, `status`, `step` and `code`. One
query can therefore find all lines with the same message. Functions never log request bodies or personal data. The key
`correlation_id` contains the order id if the invocation handles one order, and otherwise API Gateway's request id.

Every handler passes `capture_error=False` and `capture_response=False` to the tracer. Otherwise the trace would contain
the attributes of exceptions. The attributes of a connection error include the whole request to SES or DynamoDB.
"""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

# Turn off the warning that Powertools logs in each invocation without a metric. Such invocations are normal, because
# most invocations count no business event.
warnings.filterwarnings("ignore", "No application metrics to publish")

logger = Logger(use_rfc3339=True)
tracer = Tracer(patch_modules=["botocore"])
metrics = Metrics()


def correlate(order_id: str) -> None:
    """Add the order id to all further log lines and to the trace of this invocation, so that a search finds them."""
    logger.set_correlation_id(order_id)
    tracer.put_annotation("order_id", order_id)


def count_event(name: str) -> None:
    """Add 1 to the business metric `name`."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)


def traced_threads(number: int) -> ThreadPoolExecutor:
    """Return a pool of threads whose AWS calls appear in the trace of this invocation.

    X-Ray's SDK stores the current segment of a trace separately for each thread. Each new thread of the pool therefore
    receives the segment of the calling thread.
    """
    # `Any` is necessary, because the declared type of `tracer.provider` lacks the methods that this function calls.
    provider = cast("Any", tracer.provider)
    if tracer.disabled:
        return ThreadPoolExecutor(number)
    return ThreadPoolExecutor(number, initializer=provider.set_trace_entity, initargs=(provider.get_trace_entity(),))
