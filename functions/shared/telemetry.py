"""Logs, traces and metrics of every function, by Powertools.

Log lines are constant messages with data as keys: `order_id`, `event_id`, `status`, `step`, `code`. No bodies, nothing
personal. `correlation_id` is the order's id from the HTTP request to the mail, elsewhere the request's id. Traces have
an error's type, message and stack. Every handler keeps the tracer from more (`capture_error`, `capture_response`): it
would write down all that hangs on the error, and that is the whole request to SES or DynamoDB if the connection broke.
"""

from __future__ import annotations

import os
import warnings
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_xray_sdk.core.lambda_launcher import LAMBDA_TRACE_HEADER_KEY, LambdaContext
from aws_xray_sdk.ext import boto_utils

# Most invocations count nothing; a warning in each of them would be noise.
warnings.filterwarnings("ignore", "No application metrics to publish")

# The tracer reads and compares the invocation's header for each thing that it does, 13 times for an order, and names
# the same keys anew in each call: a sixth of the function's own work (make bench).
_sdk_context: Any = LambdaContext
_sdk_calls: Any = boto_utils
_refresh = _sdk_context._refresh_context  # noqa: SLF001 - there is no other door


def _refresh_if_another(context: Any) -> None:
    """Begin the trace of another invocation; the X-Ray SDK's own way does nothing if it is the same."""
    header = os.environ.get(LAMBDA_TRACE_HEADER_KEY)
    known = context._local.__dict__  # noqa: SLF001 - of this thread
    if known.get("segment") is None or known.get("header") != header:
        _refresh(context)
        known["header"] = header


_sdk_context._refresh_context = _refresh_if_another  # noqa: SLF001
_sdk_calls.to_snake_case = cache(_sdk_calls.to_snake_case)

logger = Logger(use_rfc3339=True)
tracer = Tracer(patch_modules=["botocore"])
metrics = Metrics()


def follow(order_id: str) -> None:
    """Let the rest of this invocation's log lines and its trace be found by the order."""
    logger.set_correlation_id(order_id)
    tracer.put_annotation("order_id", order_id)


def count(name: str) -> None:
    """Count one business event `name`."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
