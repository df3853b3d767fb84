"""Tests of the rate at which send_email sends emails, in simulated time, with a fake queue and a throttling SES."""

from __future__ import annotations

import json
import logging
import random
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError

from components.events.mail_queue import pace
from contracts.queues import RECEIVED_AT_MOST
from shared import rows
from tests.fakes.clock import SimulatedClock
from tests.fakes.cloud import FakeCloud
from tests.fakes.faults import client_error
from tests.fakes.gateway import USER
from tests.fakes.runtime import ENVIRONMENT, LoadedFunction, loaded
from tests.fakes.services import FakeSes
from tests.functions.test_consumers import event, order
from tests.functions.test_send_email import CONFIRMED

TIMEOUT_S = 60
VISIBILITY_S = 6 * TIMEOUT_S
SES_CALL_S = 0.08


@pytest.fixture(autouse=True)
def no_logs() -> Iterator[None]:
    """Disable logging, because writing thousands of log lines is slow."""
    logging.disable()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "No application metrics to publish")
        yield
    logging.disable(logging.NOTSET)


class ThrottlingSes(FakeSes):
    """A fake SES that accepts `rate` emails per second and throttles all further emails."""

    def __init__(self, clock: SimulatedClock, rate: float) -> None:
        super().__init__()
        self.throttled = 0
        self.last_sent_s = 0.0
        self._clock, self._rate = clock, rate
        self._tokens, self._at_s = max(rate, 1), 0.0

    def send_email(self, **arguments: Any) -> dict[str, Any]:
        now_s = self._clock.monotonic()
        self._tokens = min(max(self._rate, 1), self._tokens + (now_s - self._at_s) * self._rate)
        self._at_s = now_s
        if self._tokens < 1:
            self.throttled += 1
            raise client_error("TooManyRequestsException", "SendEmail", "Maximum sending rate exceeded.")
        self._tokens -= 1
        self._clock.sleep(SES_CALL_S)
        self.last_sent_s = self._clock.monotonic()
        return super().send_email(**arguments)


@dataclass
class Mapping:
    """A fake of the mail queue, and of the event source mapping that delivers the queue's messages to send_email."""

    clock: SimulatedClock
    cloud: FakeCloud
    batch: int
    waiting: list[tuple[float, int, str]] = field(default_factory=list[tuple[float, int, str]])
    """For each message: the time at which it becomes visible, the number of times it was received, and its body."""
    moved: int = 0
    """Number of messages that the redrive policy moved to the failure queue."""

    def poll(self, send_email: LoadedFunction) -> Callable[[], None]:
        """Return a task that delivers batches to one execution environment, one by one, until the queue is empty."""

        def work() -> None:
            while self.waiting:
                received = [each for each in sorted(self.waiting) if each[0] <= self.clock.monotonic()][: self.batch]
                if received:
                    self._deliver(send_email, received)
                else:
                    self.clock.sleep(min(self.waiting)[0] - self.clock.monotonic() + 0.01)

        return work

    def _deliver(self, send_email: LoadedFunction, received: list[tuple[float, int, str]]) -> None:
        hidden: dict[str, tuple[float, int, str]] = {}
        for each in received:
            self.waiting.remove(each)
            hidden[f"{id(each)}-{self.clock.monotonic()}"] = (
                self.clock.monotonic() + VISIBILITY_S,
                each[1] + 1,
                each[2],
            )
        self.waiting += hidden.values()
        records = [
            {
                "messageId": name,
                "receiptHandle": name,
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:ap-northeast-1:123456789012:own",
                "attributes": {"ApproximateReceiveCount": str(count)},
                "body": body,
            }
            for name, (_, count, body) in hidden.items()
        ]
        try:
            failed = {each["itemIdentifier"] for each in send_email({"Records": records})["batchItemFailures"]}
        except BatchProcessingError:
            failed = {*hidden}
        for name, message in hidden.items():
            self.waiting.remove(message)
            if name in failed and message[1] < RECEIVED_AT_MOST:
                at_s = self.clock.monotonic() + self.cloud.sqs.pauses_s.pop(name)
                self.waiting.append((at_s, *message[1:]))
            self.moved += name in failed and message[1] >= RECEIVED_AT_MOST


@dataclass(frozen=True)
class Run:
    """The queue and SES after send_email has handled all messages."""

    mapping: Mapping
    ses: ThrottlingSes

    @property
    def sent(self) -> list[dict[str, Any]]:
        return self.ses.sent


def mailed(bodies: list[str], *, setting: int, rate: float) -> Run:
    """Let send_email handle the messages `bodies`, and return the result. `setting` is the value of maxSendRate.

    The fake SES accepts `rate` emails per second.
    """
    clock = SimulatedClock()
    random_numbers = random.Random(20261128)  # noqa: S311 - no secret
    ses = ThrottlingSes(clock, rate)
    cloud = FakeCloud(sesv2=ses)
    user: Any = {"user_id": USER, "name": "Ada", "email": "ada@example.com", "created_at": "2026-01-02T03:04:05.678Z"}
    cloud.dynamodb.put("users", rows.user_row(user, request_id="r"))
    kept = pace(setting, TIMEOUT_S)
    mapping = Mapping(clock, cloud, kept.batch, [(0.0, 0, body) for body in bodies])
    with ExitStack() as stack:
        environments: list[LoadedFunction] = []
        for _ in range(kept.concurrency):
            environment = {**ENVIRONMENT, "MAIL_MS": str(kept.mail_ms)}
            # Load the function once for each execution environment, because each environment has its own copy of the
            # modules.
            environments.append(
                stack.enter_context(loaded("send_email", clients=cloud.clients, environment=environment))
            )
            pace_: Any = sys.modules["send_email.pace"]
            pace_.time = clock
            pace_.random = random_numbers
            module: Any = environments[-1].module
            module.pace = pace_.Pace(kept.mail_ms / 1000)
        clock.run([mapping.poll(each) for each in environments])
    return Run(mapping, ses)


def events(number: int, **changes: Any) -> list[str]:
    """Return one event about each of `number` orders, as the JSON text that EventBridge sends to the queue."""
    return [json.dumps(event(order(order_id=order_id(at), **changes))) for at in range(number)]


def order_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def orders_of(run: Run) -> Counter[str]:
    """Return {order id: number of emails that mention the order}."""
    return Counter(order_in(email["Content"]["Simple"]["Body"]["Text"]["Data"]) for email in run.sent)


def order_in(text: str) -> str:
    """Return the id of the order that the text of an email mentions."""
    return text.partition("Order ")[2].partition("\n")[0]


@pytest.mark.parametrize("rate", [14, 1])
def test_thousand_emails_are_sent_once_each_at_the_send_rate_of_ses(rate: int) -> None:
    run = mailed(events(1000), setting=rate, rate=rate)
    assert orders_of(run) == Counter([order_id(number) for number in range(1000)])
    assert (run.mapping.cloud.sqs.sent, run.mapping.moved) == ([], 0)
    # If SES throttles an email, its message returns to the queue, so the email is only delayed. Up to 100 such delays
    # are acceptable.
    assert run.ses.throttled <= 100
    assert run.ses.last_sent_s <= 1000 / rate * 1.15


def test_send_rate_setting_above_the_limit_of_ses_loses_no_email() -> None:
    run = mailed(events(300), setting=14, rate=1)
    assert orders_of(run) == Counter([order_id(number) for number in range(300)])
    assert (run.mapping.cloud.sqs.sent, run.mapping.moved) == ([], 0)
    assert run.ses.throttled > 300


def test_emails_of_an_order_are_never_sent_in_the_wrong_sequence() -> None:
    bodies = [body for pair in zip(events(100), events(100, **CONFIRMED), strict=True) for body in pair]
    run = mailed(bodies, setting=14, rate=7)
    seen: dict[str, list[str]] = {}
    for email in run.sent:
        content = email["Content"]["Simple"]
        seen.setdefault(order_in(content["Body"]["Text"]["Data"]), []).append(content["Subject"]["Data"])
    news = ["Your order is received", "Your order is confirmed"]
    assert len(seen) == 100
    assert all(subjects in (news, news[1:]) for subjects in seen.values())
    assert (run.mapping.cloud.sqs.sent, run.mapping.moved) == ([], 0)
