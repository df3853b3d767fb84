"""A retrier of a workflow limits its delays to MaxDelaySeconds, and randomizes them if JitterStrategy is FULL.

Emulator: The emulator ignores the fields MaxDelaySeconds and JitterStrategy of a retrier.
AWS: Step Functions applies both fields to each delay.
Source: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
Upstream: report as a bug.
"""

from __future__ import annotations

import random
from typing import Any

from emulator_fixes import replaces


@replaces("services.stepfunctions._find_matching_retrier", "cb494ae8503c")
def find_matching_retrier(original: Any, retriers: Any, error: str, counts: dict[int, int]) -> tuple[Any, int]:
    """Return the retrier that matches `error`, and the retrier's index.

    IntervalSeconds of the returned retrier is the delay before the next retry. `counts` maps the index of each retrier
    to the number of its earlier retries.
    """
    retrier, index = original(retriers, error, counts)
    if retrier is None:
        return retrier, index
    delay = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** counts.get(index, 0)
    delay = min(delay, retrier.get("MaxDelaySeconds", delay))
    if retrier.get("JitterStrategy") == "FULL":
        delay *= random.random()  # noqa: S311 - jitter needs no secure random numbers
    return {**retrier, "IntervalSeconds": delay, "BackoffRate": 1}, index
