"""Tests of the event bus: the publisher, the rules, the targets, and the queues for events that were not delivered."""

from __future__ import annotations

import json
import tomllib
import uuid
from collections.abc import Callable
from typing import Any

import pytest

import settings
from components.events import analytics_queue, mail_queue, outbox
from components.events.mail_queue import pace, remembered_days
from components.functions.function import FunctionOverride
from contracts.orders import DETAIL_TYPES, TRANSITIONS
from contracts.queues import GROUP_DIGITS, LONGEST_PAUSE_S, RECEIVED_AT_MOST, message_group, pause_s
from shared.domain.orders import order_id_for
from tests.components.order_programs import context, record_event_bus
from tests.support.graph import ACCOUNT, REGION, ROOT, Graph, Resource

FUNCTIONS = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders-dev"
QUEUES = f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders-dev"
TABLES = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders-dev"
RULES = f"arn:aws:events:{REGION}:{ACCOUNT}:rule"
SUCCESSES = f"arn:aws:sns:{REGION}:{ACCOUNT}:orders-dev-order-successes"
HOUR_S = 3600
DAY_S = 24 * HOUR_S
SIX_HOURS_S = 6 * 3600
ALL = list(DETAIL_TYPES.values())
ANALYTICS = [f"analytics-{digit}" for digit in GROUP_DIGITS]
# The expected targets of the EventBridge rules: {target: (rule, ARN of the function or queue that receives the
# events)}.
TARGETS = {
    "process-order": ("order-created", f"{FUNCTIONS}-process-order:live"),
    "fail-order": ("execution-ended", f"{FUNCTIONS}-fail-order:live"),
    "send-email": ("order-changed", f"{QUEUES}-email"),
    **{name: (name, f"{QUEUES}-analytics.fifo") for name in ANALYTICS},
    "restart-late-orders": ("late-orders", f"{FUNCTIONS}-restart-late-orders:live"),
}
# Targets without queues for failed events. If the work for an event fails, the next sweep repeats it.
SWEPT = ["fail-order", "restart-late-orders"]
FUNCTION_TARGETS = ["process-order", *SWEPT]
KEPT = [name for name in TARGETS if name not in SWEPT]
"""Targets whose events must not be lost."""
# The queues whose events a function receives: {queue: (function, failure queue, dead-letter queue for events that
# EventBridge could not deliver to the queue)}.
CONSUMED = {
    "analytics": ("record-analytics", "analytics-dlq", "analytics-delivery"),
    "email": ("send-email", "send-email-failures", "send-email-delivery"),
}


ASSUMPTIONS = tomllib.loads((ROOT / "tools/capacity/assumptions.toml").read_text(encoding="utf-8"))
BATCH_S = ASSUMPTIONS["batch_ms"]["record_analytics"] / 1000


def dead_letters_of(target: str) -> str:
    """Return the name of the dead-letter queue for events that EventBridge could not deliver to `target`."""
    return "analytics-delivery" if target in ANALYTICS else f"{target}-delivery"


def rule_arn(rule: str) -> str:
    """Return the ARN of the EventBridge rule `rule` of the stack dev.

    The ARN of a rule on the default bus contains no bus name.
    """
    return f"{RULES}/{'' if rule in ('execution-ended', 'late-orders') else 'orders-dev-bus/'}orders-dev-{rule}"


@pytest.fixture(scope="module")
def graph(graph_of: Callable[[str], Graph]) -> Graph:
    """The resource graph of the whole program for the stack dev."""
    return graph_of("dev")


def allowed(graph: Graph, function: str, service: str) -> set[tuple[str, str]]:
    """Return the (action, resource) pairs that the role of `function` allows for the AWS service `service`."""
    return {
        (action, resource)
        for statement in graph.policy("RolePolicy", f"{function}-policy")
        for action in statement["Action"]
        for resource in statement["Resource"]
        if action.startswith(f"{service}:")
    }


def statement_of(graph: Graph, function: str, action: str) -> dict[str, Any]:
    """Return the policy statement that allows `action` for `function`. Fails unless there is exactly one."""
    (found,) = (s for s in graph.policy("RolePolicy", f"{function}-policy") if action in s["Action"])
    return found


class TestBus:
    def test_archive_keeps_every_event_for_replay(self, graph: Graph) -> None:
        archive = graph.one("EventArchive", "events-archive").inputs
        assert archive["eventSourceArn"] == graph.one("EventBus", "events-bus").state["arn"]
        assert archive["retentionDays"] == 7
        assert "eventPattern" not in archive

    def test_claim_of_an_email_outlives_every_copy_of_the_event(self, graph: Graph) -> None:
        variables = graph.one("aws:lambda/function:Function", "send-email").inputs["environment"]["variables"]
        # The queue `email` counts twice, because a redrive sends an event from `send-email-failures` back to `email`.
        waits = ("send-email-delivery", "email", "send-email-failures", "email")
        queued_s = sum(graph.one("Queue", name).inputs["messageRetentionSeconds"] for name in waits)
        retried_s = graph.one("EventTarget", "send-email-target").inputs["retryPolicy"]["maximumEventAgeInSeconds"]
        archived = graph.one("EventArchive", "events-archive").inputs["retentionDays"]
        assert int(variables["REMEMBERED_DAYS"]) * DAY_S > archived * DAY_S + retried_s + queued_s
        # A replay can send an event again until the archive deletes it. If the archive retains events one day longer,
        # the idempotency table must therefore retain its rows one day longer.
        assert remembered_days(archived + 1000) == int(variables["REMEMBERED_DAYS"]) + 1000

    def test_standard_execution_ends_before_its_name_can_be_reused(self) -> None:
        # Step Functions rejects a second execution with the same name only for 90 days. The first execution must decide
        # the order within this time. After the decision, process_order starts no second execution.
        longest_s = settings.stack_file_schema()["$defs"]["WorkflowSettings"]["properties"]["standardTimeoutSeconds"]
        assert longest_s["maximum"] < 90 * DAY_S

    @pytest.mark.parametrize(("rule", "types"), [("order-created", ["OrderCreated"]), ("order-changed", ALL)])
    def test_rule_matches_only_its_detail_types_and_our_source(self, graph: Graph, rule: str, types: list[str]) -> None:
        inputs = graph.one("EventRule", f"events-{rule}").inputs
        assert json.loads(inputs["eventPattern"]) == {"source": ["orders.api"], "detail-type": types}
        assert inputs["eventBusName"] == "orders-dev-bus"

    def test_rule_on_the_default_bus_matches_unsuccessful_standard_executions(self, graph: Graph) -> None:
        inputs = graph.one("EventRule", "events-execution-ended").inputs
        machine = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:orders-dev-order-standard"
        assert json.loads(inputs["eventPattern"]) == {
            "source": ["aws.states"],
            "detail-type": ["Step Functions Execution Status Change"],
            "detail": {"stateMachineArn": [machine], "status": ["FAILED", "TIMED_OUT", "ABORTED"]},
        }
        assert inputs["eventBusName"] == "default"

    def test_bus_has_exactly_the_expected_targets(self, graph: Graph) -> None:
        found = {
            target.inputs["targetId"]: (target.inputs["rule"].removeprefix("orders-dev-"), target.inputs["arn"])
            for target in graph.of("EventTarget")
        }
        assert found == TARGETS
        for target in graph.of("EventTarget"):
            rule = graph.one("EventRule", f"events-{TARGETS[target.inputs['targetId']][0]}")
            assert target.inputs["eventBusName"] == rule.inputs["eventBusName"]


class TestDelivery:
    @pytest.mark.parametrize("name", SWEPT)
    def test_failed_events_are_not_stored_if_the_sweep_repeats_their_work(self, graph: Graph, name: str) -> None:
        inputs = graph.one("EventTarget", f"{name}-target").inputs
        assert inputs["retryPolicy"]["maximumEventAgeInSeconds"] == SIX_HOURS_S
        assert not inputs.get("deadLetterConfig")
        assert not graph.one("FunctionEventInvokeConfig", f"{name}-invocation").inputs.get("destinationConfig")
        assert not allowed(graph, name, "sqs") | allowed(graph, name, "sns")
        assert not {f"{name}-failures", f"{name}-delivery"} & {queue.name for queue in graph.of("Queue")}

    @pytest.mark.parametrize("name", KEPT)
    def test_undeliverable_event_is_retried_then_sent_to_a_dead_letter_queue(self, graph: Graph, name: str) -> None:
        inputs = graph.one("EventTarget", f"{name}-target").inputs
        dead_letters = dead_letters_of(name)
        assert inputs["deadLetterConfig"] == {"arn": f"{QUEUES}-{dead_letters}"}
        assert inputs["retryPolicy"] == {"maximumEventAgeInSeconds": SIX_HOURS_S, "maximumRetryAttempts": 185}
        # EventBridge supports only standard queues as dead-letter queues, not FIFO queues.
        assert "fifoQueue" not in graph.one("Queue", dead_letters).inputs

    @pytest.mark.parametrize("name", KEPT)
    def test_dead_letter_queue_accepts_events_only_from_rules_of_its_targets(self, graph: Graph, name: str) -> None:
        dead_letters = dead_letters_of(name)
        rules = [rule_arn(TARGETS[target][0]) for target in TARGETS if dead_letters_of(target) == dead_letters]
        assert sent_by_rules(graph, dead_letters, f"{QUEUES}-{dead_letters}") == rules

    @pytest.mark.parametrize(("name", "rules"), [("analytics", ANALYTICS), ("email", ["order-changed"])])
    def test_queue_accepts_events_only_from_its_rules(self, graph: Graph, name: str, rules: list[str]) -> None:
        queue = graph.one("Queue", name).state["arn"]
        assert sent_by_rules(graph, name, queue) == [rule_arn(rule) for rule in rules]

    @pytest.mark.parametrize("name", FUNCTION_TARGETS)
    def test_only_the_rule_of_a_target_may_invoke_its_function(self, graph: Graph, name: str) -> None:
        permission = graph.one("Permission", f"{name}-event-bus").inputs
        assert permission["principal"] == "events.amazonaws.com"
        assert permission["sourceArn"] == rule_arn(TARGETS[name][0])
        assert (permission["function"], permission["qualifier"]) == (f"orders-dev-{name}", "live")

    @pytest.mark.parametrize("name", TARGETS)
    def test_target_is_created_after_the_policies_that_allow_deliveries(self, graph: Graph, name: str) -> None:
        waits_for = graph.one("EventTarget", f"{name}-target").dependencies
        queue = "analytics" if name in ANALYTICS else "email"
        door = (
            graph.one("Permission", f"{name}-event-bus")
            if name not in ANALYTICS and name != "send-email"
            else graph.one("QueuePolicy", f"{queue}-policy")
        )
        policies = [] if name in SWEPT else [graph.one("QueuePolicy", f"{dead_letters_of(name)}-policy")]
        assert {door.urn, *(policy.urn for policy in policies)} <= set(waits_for)

    @pytest.mark.parametrize(("name", "limits"), [("process-order", (300, 2)), ("fail-order", (SIX_HOURS_S, 2))])
    def test_asynchronous_events_have_a_maximum_age_and_two_retries(
        self, graph: Graph, name: str, limits: tuple[int, int]
    ) -> None:
        config = graph.one("FunctionEventInvokeConfig", f"{name}-invocation").inputs
        assert (config["maximumEventAgeInSeconds"], config["maximumRetryAttempts"]) == limits
        assert (config["functionName"], config["qualifier"]) == (f"orders-dev-{name}", "live")

    def test_process_order_reports_failures_and_successes(self, graph: Graph) -> None:
        name = "process-order"
        config = graph.one("FunctionEventInvokeConfig", f"{name}-invocation").inputs
        assert config["destinationConfig"] == {
            "onFailure": {"destination": f"{QUEUES}-{name}-failures"},
            "onSuccess": {"destination": SUCCESSES},
        }
        assert ("sns:Publish", SUCCESSES) in allowed(graph, name, "sns")


def sent_by_rules(graph: Graph, name: str, queue: str) -> list[str]:
    """Return the ARNs of the EventBridge rules that may send messages to the queue with the ARN `queue`.

    `name` is the logical name of the queue. Fails if anyone else may send messages, or if the policy allows plain HTTP.
    """
    statements = graph.policy("QueuePolicy", f"{name}-policy")
    allows = [statement for statement in statements if statement["Effect"] == "Allow"]
    denies = [statement for statement in statements if statement["Effect"] == "Deny"]
    assert [deny["Condition"] for deny in denies] == [{"Bool": {"aws:SecureTransport": "false"}}]
    for statement in allows:
        assert (statement["Action"], statement["Resource"]) == ("sqs:SendMessage", queue)
        assert statement["Principal"] == {"Service": "events.amazonaws.com"}
        assert list(statement["Condition"]) == ["ArnEquals"]
    arns = [statement["Condition"]["ArnEquals"]["aws:SourceArn"] for statement in allows]
    return [arn for each in arns for arn in ([each] if isinstance(each, str) else each)]


class TestRelay:
    def mapping(self, graph: Graph) -> Resource:
        return graph.one("EventSourceMapping", "publish-order-events-stream")

    def test_relay_reads_the_stream_from_its_start_and_reports_single_failed_records(self, graph: Graph) -> None:
        inputs = self.mapping(graph).inputs
        assert inputs["eventSourceArn"] == graph.one("Table", "data-orders").state["streamArn"]
        assert inputs["functionName"] == f"{FUNCTIONS}-publish-order-events:live"
        assert inputs["startingPosition"] == "TRIM_HORIZON"
        assert inputs["functionResponseTypes"] == ["ReportBatchItemFailures"]

    def test_relay_retries_a_record_until_the_stream_deletes_it(self, graph: Graph) -> None:
        inputs = self.mapping(graph).inputs
        assert inputs["bisectBatchOnFunctionError"] is True
        # With -1 for both limits, Lambda retries without a limit on the number of attempts or the age of the record.
        assert (inputs["maximumRetryAttempts"], inputs["maximumRecordAgeInSeconds"]) == (-1, -1)

    def test_relay_may_send_invalid_records_to_its_failure_queue(self, graph: Graph) -> None:
        inputs = self.mapping(graph).inputs
        failures = f"{QUEUES}-publish-order-events-stream"
        queue = graph.one("Queue", "publish-order-events-stream")
        variables = graph.one("aws:lambda/function:Function", "publish-order-events").inputs["environment"]["variables"]
        assert variables["FAILURE_QUEUE_URL"] == queue.state["url"]
        assert inputs["destinationConfig"] == {"onFailure": {"destinationArn": failures}}
        assert ("sqs:SendMessage", failures) in allowed(graph, "publish-order-events", "sqs")

    def test_relay_may_only_put_our_events_on_our_bus(self, graph: Graph) -> None:
        assert statement_of(graph, "publish-order-events", "events:PutEvents") == {
            "Effect": "Allow",
            "Action": ["events:PutEvents"],
            "Resource": [f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/orders-dev-bus"],
            "Condition": {"StringEquals": {"events:source": "orders.api", "events:detail-type": ALL}},
        }

    def test_relay_may_read_only_the_orders_stream(self, graph: Graph) -> None:
        stream = self.mapping(graph).inputs["eventSourceArn"]
        verbs = ("DescribeStream", "GetRecords", "GetShardIterator")
        wanted = {(f"dynamodb:{verb}", stream) for verb in verbs} | {("dynamodb:ListStreams", "*")}
        assert allowed(graph, "publish-order-events", "dynamodb") == wanted

    @pytest.mark.parametrize("old", [None, *TRANSITIONS])
    @pytest.mark.parametrize("new", [None, *TRANSITIONS])
    def test_relay_is_invoked_only_for_new_orders_and_status_changes(
        self, graph: Graph, old: str | None, new: str | None
    ) -> None:
        images = {"OldImage": old, "NewImage": new}
        record = {
            "eventName": "MODIFY" if old and new else "INSERT" if new else "REMOVE",
            "dynamodb": {name: {"status": {"S": status}} for name, status in images.items() if status},
        }
        may_follow: Any = TRANSITIONS[old] if old else {new}  # type: ignore[index]
        filters = [json.loads(each["pattern"]) for each in self.mapping(graph).inputs["filterCriteria"]["filters"]]
        assert any(matches(pattern, record) for pattern in filters) == (new is not None and new in may_follow)

    def test_relay_uses_at_most_the_five_filters_that_lambda_allows(self) -> None:
        assert len(outbox.filter_patterns()) <= 5


def matches(pattern: Any, record: Any) -> bool:
    """Return whether the Lambda event filter `pattern` matches `record`.

    Every key of `pattern` must match. A list contains the values that match.
    """
    if isinstance(pattern, list):
        return record in pattern
    return all(key in record and matches(part, record[key]) for key, part in pattern.items())


class TestQueueConsumers:
    @pytest.mark.parametrize("name", CONSUMED)
    def test_message_is_retried_for_at_least_six_hours(self, graph: Graph, name: str) -> None:
        inputs = graph.one("Queue", name).inputs
        redrive = json.loads(inputs["redrivePolicy"])
        assert redrive["deadLetterTargetArn"] == graph.one("Queue", CONSUMED[name][1]).state["arn"]
        # The function hides a failed message for `pause_s`. If the function returns no response, SQS hides the message
        # for the visibility timeout instead. In both cases, the retries must last at least six hours.
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
    def test_consumer_reports_single_failed_messages(self, graph: Graph, name: str) -> None:
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
        """Both deliveries of an event must cause the same message body, by which SQS recognizes the duplicate."""
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
        # A request to SES must fit into the time for one email. Otherwise, the function cannot reach the rate.
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


class TestConsumers:
    def test_process_order_may_only_read_orders_and_start_the_standard_workflow(self, graph: Graph) -> None:
        machine = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:orders-dev-order-standard"
        assert allowed(graph, "process-order", "states") == {("states:StartExecution", machine)}
        assert allowed(graph, "process-order", "dynamodb") == {("dynamodb:GetItem", f"{TABLES}-orders")}
        variables = graph.one("aws:lambda/function:Function", "process-order").inputs["environment"]["variables"]
        assert (variables["ORDERS_TABLE"], variables["STATE_MACHINE_ARN"]) == ("orders-dev-orders", machine)

    def test_fail_order_gets_the_standard_time_limit_as_an_environment_variable(self, graph: Graph) -> None:
        variables = graph.one("aws:lambda/function:Function", "fail-order").inputs["environment"]["variables"]
        assert variables["STANDARD_TIMEOUT_S"] == "900"

    def test_fail_order_may_only_update_orders(self, graph: Graph) -> None:
        assert allowed(graph, "fail-order", "dynamodb") == {("dynamodb:UpdateItem", f"{TABLES}-orders")}

    def test_send_email_may_send_only_from_the_configured_sender(self, graph: Graph) -> None:
        assert statement_of(graph, "send-email", "ses:SendEmail") == {
            "Effect": "Allow",
            "Action": ["ses:SendEmail"],
            "Resource": [f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/*"],
            "Condition": {"StringEquals": {"ses:FromAddress": "orders@dev.example.com"}},
        }

    def test_send_email_may_only_read_profiles_and_use_claims(self, graph: Graph) -> None:
        verbs = ("PutItem", "UpdateItem")
        kept = {(f"dynamodb:{verb}", f"{TABLES}-idempotency") for verb in ("GetItem", *verbs)}
        assert allowed(graph, "send-email", "dynamodb") == kept | {("dynamodb:GetItem", f"{TABLES}-users")}

    @pytest.mark.parametrize(("create", "made"), [(True, ["orders@example.com"]), (False, [])])
    def test_ses_identity_is_created_only_if_requested(self, create: bool, made: list[str]) -> None:
        graph = record_event_bus(create_identity=create)
        assert [identity.inputs["emailIdentity"] for identity in graph.of("EmailIdentity")] == made


class TestFailureQueues:
    def test_ops_output_lists_every_failure_queue(self, graph: Graph) -> None:
        described = graph.outputs["ops"]["failureQueues"]
        assert {entry["url"] for entry in described.values()} == {
            queue.state["url"] for queue in graph.of("Queue") if queue.name not in CONSUMED
        }

    @pytest.mark.parametrize(
        ("name", "kind", "redrive_to"),
        [
            ("process-order-delivery", "delivery", f"{FUNCTIONS}-process-order:live"),
            ("process-order-failures", "invocation", f"{FUNCTIONS}-process-order:live"),
            ("process-order-dlq", "dead-letter", f"{FUNCTIONS}-process-order:live"),
            ("send-email-failures", "queue", f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/orders-dev-email"),
            ("send-email-delivery", "delivery", f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/orders-dev-email"),
            ("publish-order-events-stream", "stream", f"{FUNCTIONS}-publish-order-events:live"),
            ("analytics-dlq", "queue", f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/orders-dev-analytics.fifo"),
            (
                "analytics-delivery",
                "delivery",
                f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/orders-dev-analytics.fifo",
            ),
        ],
    )
    def test_ops_output_gives_each_failure_queues_kind_and_redrive_target(
        self, graph: Graph, name: str, kind: str, redrive_to: str
    ) -> None:
        entry = graph.outputs["ops"]["failureQueues"][name]
        assert (entry["kind"], entry["redriveTo"]) == (kind, redrive_to)
