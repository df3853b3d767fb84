"""Tests of the queues for emails and analytics records, and of the functions that consume them."""

from __future__ import annotations

import json
import tomllib
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from components.events import analytics_queue, mail_queue
from components.events.mail_queue import pace
from components.functions.function import FunctionOverride
from contracts.queues import GROUP_DIGITS, LONGEST_PAUSE_S, RECEIVED_AT_MOST, message_group, pause_s
from shared.domain.orders import order_id_for
from tests.components.event_graph import ALL, CONSUMED, FUNCTIONS, allowed, sent_by_rules
from tests.components.order_programs import context, record_event_bus
from tests.support.graph import ROOT, Graph

HOUR_S = 3600
ASSUMPTIONS = tomllib.loads((ROOT / "tools/capacity/assumptions.toml").read_text(encoding="utf-8"))
BATCH_S = ASSUMPTIONS["batch_ms"]["record_analytics"] / 1000


@pytest.fixture(scope="module")
def graph(graph_of: Callable[[str], Graph]) -> Graph:
    """The resource graph of the whole program for the stack dev."""
    return graph_of("dev")


class TestQueueConsumers:
    @pytest.mark.parametrize("name", CONSUMED)
    def test_message_is_retried_for_at_least_six_hours(self, graph: Graph, name: str) -> None:
        inputs = graph.one("Queue", name).inputs
        redrive = json.loads(inputs["redrivePolicy"])
        assert redrive["deadLetterTargetArn"] == graph.one("Queue", CONSUMED[name][1]).state["arn"]
        # After a failure, the function hides the message for `pause_s`. If the function returns no response, the
        # queue's visibility timeout applies instead. In both cases, the retries must last at least six hours.
        pauses_s = [pause_s(received, 0) for received in range(1, redrive["maxReceiveCount"])]
        assert sum(pauses_s) >= 6 * HOUR_S
        assert inputs["visibilityTimeoutSeconds"] * len(pauses_s) >= 6 * HOUR_S
        assert sum(pauses_s) < inputs["messageRetentionSeconds"]
        assert sent_by_rules(graph, CONSUMED[name][1], "") == []

    def test_pause_before_a_retry_grows_to_five_minutes(self) -> None:
        assert [pause_s(received, 1) for received in (1, 2, 3, 8, 9, 1000)] == [2, 4, 8, 256, 300, 300]
        assert [pause_s(received, 0) for received in (1, 8, RECEIVED_AT_MOST)] == [1, 128, LONGEST_PAUSE_S / 2]

    @pytest.mark.parametrize(("name", "source"), [("analytics", "record_analytics"), ("email", "send_email")])
    def test_visibility_timeout_is_six_times_the_functions_timeout(self, name: str, source: str) -> None:
        graph = record_event_bus(context=context(overrides={source: FunctionOverride(timeout_s=40)}))
        assert graph.one("Queue", name).inputs["visibilityTimeoutSeconds"] == 240

    @pytest.mark.parametrize("name", CONSUMED)
    def test_consumer_reports_only_the_failed_messages_of_a_batch(self, graph: Graph, name: str) -> None:
        function = CONSUMED[name][0]
        inputs = graph.one("EventSourceMapping", f"{function}-queue").inputs
        assert inputs["eventSourceArn"] == graph.one("Queue", name).state["arn"]
        assert inputs["functionName"] == f"{FUNCTIONS}-{function}:live"
        assert inputs["functionResponseTypes"] == ["ReportBatchItemFailures"]
        assert inputs["batchSize"] <= 10

    @pytest.mark.parametrize("name", CONSUMED)
    def test_consumer_may_only_read_its_queues_and_send_to_its_failure_queue(self, graph: Graph, name: str) -> None:
        function, failures, undelivered = CONSUMED[name]
        queue = graph.one("Queue", name).state["arn"]
        consumed = (queue, graph.one("Queue", undelivered).state["arn"])
        verbs = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "ChangeMessageVisibility")
        sends = {("sqs:SendMessage", graph.one("Queue", failures).state["arn"])}
        # While a stack is updated from release 0.1.0, EventBridge still invokes send_email directly. send_email sends
        # the events of these invocations to its own queue.
        sends |= {("sqs:SendMessage", queue)} if name == "email" else set()
        assert allowed(graph, function, "sqs") == sends | {(f"sqs:{verb}", arn) for verb in verbs for arn in consumed}

    @pytest.mark.parametrize("name", CONSUMED)
    def test_consumer_also_reads_the_events_that_eventbridge_could_not_deliver(self, graph: Graph, name: str) -> None:
        function, _, undelivered = CONSUMED[name]
        queue = graph.one("Queue", undelivered)
        inputs = graph.one("EventSourceMapping", f"{function}-delivery").inputs
        assert inputs["eventSourceArn"] == queue.state["arn"]
        assert inputs["functionName"] == f"{FUNCTIONS}-{function}:live"
        assert inputs["scalingConfig"] == {"maximumConcurrency": 2}
        assert inputs["functionResponseTypes"] == ["ReportBatchItemFailures"]
        assert inputs["batchSize"] == graph.one("EventSourceMapping", f"{function}-queue").inputs["batchSize"]
        hidden_s = graph.one("Queue", name).inputs["visibilityTimeoutSeconds"]
        assert queue.inputs["visibilityTimeoutSeconds"] == hidden_s

    @pytest.mark.parametrize("name", CONSUMED)
    def test_consumer_gets_its_queues_and_receive_limit_as_environment_variables(self, graph: Graph, name: str) -> None:
        function, failures, _ = CONSUMED[name]
        variables = graph.one("aws:lambda/function:Function", function).inputs["environment"]["variables"]
        queue = graph.one("Queue", name)
        assert variables["QUEUE_URL"] == queue.state["url"]
        assert variables["FAILURE_QUEUE_URL"] == graph.one("Queue", failures).state["url"]
        assert variables["RECEIVED_AT_MOST"] == str(json.loads(queue.inputs["redrivePolicy"])["maxReceiveCount"])


class TestAnalytics:
    @pytest.mark.parametrize("digit", GROUP_DIGITS)
    def test_repeated_deliveries_of_an_event_become_one_message(self, graph: Graph, digit: str) -> None:
        """If EventBridge delivers an event twice, both messages must have the same body.

        SQS recognizes a duplicate by its body.
        """
        inputs = graph.one("EventTarget", f"analytics-{digit}-target").inputs
        order = {"order_id": "o", "items": [{"product_id": "p", "quantity": 1}], "updated_at": "2026-01-02T…Z"}
        detail = {"event_id": "o:CONFIRMED", "order": order}
        envelopes = [
            {"id": number, "time": number, "detail-type": "OrderConfirmed", "source": "orders.api", "detail": detail}
            for number in ("1", "2")
        ]
        first, second = (transformed(inputs["inputTransformer"], envelope) for envelope in envelopes)
        assert first == second
        assert json.loads(first) == {"event_id": "o:CONFIRMED", "detail_type": "OrderConfirmed", "order": order}
        assert inputs["sqsTarget"] == {"messageGroupId": message_group(f"{digit}…:CONFIRMED")}
        assert graph.one("Queue", "analytics").inputs["contentBasedDeduplication"] is True

    def test_analytics_queue_and_its_dead_letter_queue_are_fifo(self, graph: Graph) -> None:
        queue, dead = graph.one("Queue", "analytics").inputs, graph.one("Queue", "analytics-dlq").inputs
        assert (queue["fifoQueue"], queue["name"]) == (True, "orders-dev-analytics.fifo")
        assert (dead["fifoQueue"], dead["name"]) == (True, "orders-dev-analytics-dlq.fifo")
        # Without these settings for high throughput, SQS would limit the whole queue to 300 messages per second.
        assert (queue["fifoThroughputLimit"], queue["deduplicationScope"]) == ("perMessageGroupId", "messageGroup")

    def test_every_event_matches_exactly_one_analytics_rule(self, graph: Graph) -> None:
        for digit in GROUP_DIGITS:
            pattern = json.loads(graph.one("EventRule", f"events-analytics-{digit}").inputs["eventPattern"])
            assert pattern == {
                "source": ["orders.api"],
                "detail-type": ALL,
                "detail": {"event_id": [{"prefix": digit}]},
            }
        first_characters = {str(uuid.uuid4())[0] for _ in range(1000)} | {
            order_id_for(str(n), "k")[0] for n in range(1000)
        }
        assert first_characters == set(GROUP_DIGITS)

    def test_analytics_handle_the_events_of_250_orders_per_second(self, graph: Graph) -> None:
        mapping = graph.one("EventSourceMapping", "record-analytics-queue").inputs
        groups = {
            target.inputs["sqsTarget"]["messageGroupId"]
            for target in graph.of("EventTarget")
            if target.inputs.get("sqsTarget")
        }
        assert len(groups) == mapping["scalingConfig"]["maximumConcurrency"]
        capacity = analytics_queue.events_per_second(BATCH_S)
        assert capacity == len(groups) * mapping["batchSize"] / BATCH_S
        # Each confirmed order causes two events, one for PENDING and one for CONFIRMED. 250 orders per second therefore
        # cause 500 events per second.
        assert capacity >= 2 * 250

    def test_consumer_may_only_write_objects_under_orders_to_the_bucket(self, graph: Graph) -> None:
        bucket = graph.one("Bucket", "data-analytics").state["arn"]
        assert allowed(graph, "record-analytics", "s3") == {("s3:PutObject", f"{bucket}/orders/*")}


class TestMailPace:
    @pytest.mark.parametrize("rate", [1, 2, 7, 14, 50, 999, 1000])
    @pytest.mark.parametrize("timeout_s", [1, 30, 60, 900])
    def test_all_send_email_invocations_together_stay_below_the_send_rate(self, rate: int, timeout_s: int) -> None:
        found = pace(rate, timeout_s)
        assert 2 <= found.concurrency <= 1000
        assert rate * 0.94 < found.concurrency / (found.mail_ms / 1000) <= rate * 0.95
        # `mail_ms` is the time from one email of an invocation to the next. `pace` assumes that a request to SES takes
        # 250 ms. If `mail_ms` were shorter than the request, the function could not reach the send rate.
        assert found.mail_ms >= 250
        assert 1 <= found.batch <= 10

    def test_batch_of_emails_ends_before_the_functions_timeout(self) -> None:
        assert pace(1, 60) == mail_queue.Pace(concurrency=2, mail_ms=2106, batch=10)
        assert pace(1, 30) == mail_queue.Pace(concurrency=2, mail_ms=2106, batch=4)
        assert pace(14, 60) == mail_queue.Pace(concurrency=4, mail_ms=301, batch=10)

    def test_send_rate_setting_reaches_the_function_and_its_mapping(self) -> None:
        graph = record_event_bus(mail_max_send_rate=14)
        mapping = graph.one("EventSourceMapping", "send-email-queue").inputs
        variables = graph.one("aws:lambda/function:Function", "send-email").inputs["environment"]["variables"]
        assert mapping["scalingConfig"] == {"maximumConcurrency": 4}
        assert (mapping["batchSize"], variables["MAIL_MS"]) == (10, "301")


def transformed(transformer: Any, event: dict[str, Any]) -> str:
    """Return the text that `transformer` creates from `event`, with compact JSON values as in EventBridge."""
    text: str = transformer["inputTemplate"]
    for name, path in transformer["inputPaths"].items():
        value: Any = event
        for part in path.removeprefix("$.").split("."):
            value = value[part]
        text = text.replace(f"<{name}>", json.dumps(value, separators=(",", ":")))
    return text
