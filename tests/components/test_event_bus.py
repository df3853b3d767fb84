"""The event bus: its publisher, its rules and targets, and the queues for events that could not be delivered."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import settings
from components.events import outbox
from components.events.event_bus import remembered_days
from components.functions.function import FunctionOverride
from contracts.orders import DETAIL_TYPES, TRANSITIONS
from tests.components.order_programs import context, record_event_bus
from tests.support.graph import ACCOUNT, REGION, Graph, Resource

FUNCTIONS = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders-dev"
QUEUES = f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders-dev"
TABLES = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders-dev"
RULES = f"arn:aws:events:{REGION}:{ACCOUNT}:rule"
SUCCESSES = f"arn:aws:sns:{REGION}:{ACCOUNT}:orders-dev-order-successes"
DAY_S = 86_400
SIX_HOURS_S = 6 * 3600
ALL = list(DETAIL_TYPES.values())
# Each key is a target. Its value contains the rule of the target and the resource that receives the events.
TARGETS = {
    "process-order": ("order-created", f"{FUNCTIONS}-process-order:live"),
    "fail-order": ("execution-ended", f"{FUNCTIONS}-fail-order:live"),
    "send-email": ("order-changed", f"{FUNCTIONS}-send-email:live"),
    "analytics": ("order-changed", f"{QUEUES}-analytics.fifo"),
    "restart-late-orders": ("late-orders", f"{FUNCTIONS}-restart-late-orders:live"),
}
FUNCTION_TARGETS = ["process-order", "fail-order", "send-email"]


def rule_arn(rule: str) -> str:
    """Return the ARN of a rule of the stack dev. AWS omits the bus name from the ARN for rules on the default bus."""
    return f"{RULES}/{'' if rule in ('execution-ended', 'late-orders') else 'orders-dev-bus/'}orders-dev-{rule}"


@pytest.fixture(scope="module")
def graph(graph_of: Callable[[str], Graph]) -> Graph:
    """The resource graph of the whole program for the stack dev."""
    return graph_of("dev")


def allowed(graph: Graph, function: str, service: str) -> set[tuple[str, str]]:
    """Return the (action, resource) pairs of `service` that the role of `function` allows."""
    return {
        (action, resource)
        for statement in graph.policy("RolePolicy", f"{function}-policy")
        for action in statement["Action"]
        for resource in statement["Resource"]
        if action.startswith(f"{service}:")
    }


def statement_of(graph: Graph, function: str, action: str) -> dict[str, Any]:
    """Return the policy statement that allows `action` for `function`; exactly one must exist."""
    (found,) = (s for s in graph.policy("RolePolicy", f"{function}-policy") if action in s["Action"])
    return found


class TestBus:
    def test_archive_keeps_every_event_for_replay(self, graph: Graph) -> None:
        archive = graph.one("EventArchive", "events-archive").inputs
        assert archive["eventSourceArn"] == graph.one("EventBus", "events-bus").state["arn"]
        assert archive["retentionDays"] == 7
        assert "eventPattern" not in archive

    def test_sent_emails_are_remembered_longer_than_any_copy_of_their_event(self, graph: Graph) -> None:
        variables = graph.one("aws:lambda/function:Function", "send-email").inputs["environment"]["variables"]
        waits = ("send-email-delivery", "send-email-failures")
        queued_s = sum(graph.one("Queue", name).inputs["messageRetentionSeconds"] for name in waits)
        retried_s = graph.one("EventTarget", "send-email-target").inputs["retryPolicy"]["maximumEventAgeInSeconds"]
        archived = graph.one("EventArchive", "events-archive").inputs["retentionDays"]
        assert int(variables["REMEMBERED_DAYS"]) * DAY_S > archived * DAY_S + retried_s + queued_s
        # A replay can send an event again until the archive deletes it. If the archive retains events one day longer,
        # the idempotency table must therefore retain its rows one day longer.
        assert remembered_days(archived + 1000) == int(variables["REMEMBERED_DAYS"]) + 1000

    def test_standard_execution_ends_before_its_name_can_be_reused(self) -> None:
        # For 90 days, Step Functions accepts no second execution with the same name. Each execution ends before this
        # time, and its order is then decided. process_order starts no execution for a decided order.
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
    @pytest.mark.parametrize("name", TARGETS)
    def test_undeliverable_event_is_retried_then_stored_in_the_targets_own_queue(self, graph: Graph, name: str) -> None:
        inputs = graph.one("EventTarget", f"{name}-target").inputs
        assert inputs["deadLetterConfig"] == {"arn": f"{QUEUES}-{name}-delivery"}
        assert inputs["retryPolicy"] == {"maximumEventAgeInSeconds": SIX_HOURS_S, "maximumRetryAttempts": 185}
        # EventBridge does not support FIFO queues as dead-letter queues.
        assert "fifoQueue" not in graph.one("Queue", f"{name}-delivery").inputs

    @pytest.mark.parametrize("name", TARGETS)
    def test_delivery_queue_accepts_events_only_from_its_targets_rule(self, graph: Graph, name: str) -> None:
        queue = f"{QUEUES}-{name}-delivery"
        assert sent_by_rules(graph, f"{name}-delivery", queue) == [rule_arn(TARGETS[name][0])]

    def test_analytics_queue_accepts_events_only_from_its_rule(self, graph: Graph) -> None:
        assert sent_by_rules(graph, "analytics", f"{QUEUES}-analytics.fifo") == [rule_arn("order-changed")]

    @pytest.mark.parametrize("name", [*FUNCTION_TARGETS, "restart-late-orders"])
    def test_only_the_rule_of_a_target_may_invoke_its_function(self, graph: Graph, name: str) -> None:
        permission = graph.one("Permission", f"{name}-event-bus").inputs
        assert permission["principal"] == "events.amazonaws.com"
        assert permission["sourceArn"] == rule_arn(TARGETS[name][0])
        assert (permission["function"], permission["qualifier"]) == (f"orders-dev-{name}", "live")

    @pytest.mark.parametrize("name", TARGETS)
    def test_target_is_created_after_the_policies_that_allow_its_deliveries(self, graph: Graph, name: str) -> None:
        waits_for = graph.one("EventTarget", f"{name}-target").dependencies
        door = (
            graph.one("QueuePolicy", "analytics-policy")
            if name == "analytics"
            else graph.one("Permission", f"{name}-event-bus")
        )
        assert {door.urn, graph.one("QueuePolicy", f"{name}-delivery-policy").urn} <= set(waits_for)

    @pytest.mark.parametrize("name", FUNCTION_TARGETS)
    def test_event_of_a_function_lives_six_hours_except_for_process_order(self, graph: Graph, name: str) -> None:
        config = graph.one("FunctionEventInvokeConfig", f"{name}-invocation").inputs
        age_s = 300 if name == "process-order" else SIX_HOURS_S
        assert (config["maximumEventAgeInSeconds"], config["maximumRetryAttempts"]) == (age_s, 2)
        assert config["destinationConfig"] == {
            "onFailure": {"destination": f"{QUEUES}-{name}-failures"},
            "onSuccess": {"destination": SUCCESSES},
        }
        assert (config["functionName"], config["qualifier"]) == (f"orders-dev-{name}", "live")
        assert ("sns:Publish", SUCCESSES) in allowed(graph, name, "sns")


def sent_by_rules(graph: Graph, name: str, queue: str) -> list[str]:
    """Return the ARNs of the rules that may send to a queue. Fails if others may send or plain HTTP is allowed."""
    statements = graph.policy("QueuePolicy", f"{name}-policy")
    allows = [statement for statement in statements if statement["Effect"] == "Allow"]
    denies = [statement for statement in statements if statement["Effect"] == "Deny"]
    assert [deny["Condition"] for deny in denies] == [{"Bool": {"aws:SecureTransport": "false"}}]
    for statement in allows:
        assert (statement["Action"], statement["Resource"]) == ("sqs:SendMessage", queue)
        assert statement["Principal"] == {"Service": "events.amazonaws.com"}
        assert list(statement["Condition"]) == ["ArnEquals"]
    return [statement["Condition"]["ArnEquals"]["aws:SourceArn"] for statement in allows]


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
        # With -1, neither the number of retries nor the age of the record ends the retries.
        assert (inputs["maximumRetryAttempts"], inputs["maximumRecordAgeInSeconds"]) == (-1, -1)

    def test_relay_may_set_invalid_records_aside_in_its_failure_queue(self, graph: Graph) -> None:
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
    """Return whether a Lambda event filter matches the record: every key must match, and a list holds alternatives."""
    if isinstance(pattern, list):
        return record in pattern
    return all(key in record and matches(part, record[key]) for key, part in pattern.items())


class TestAnalytics:
    def test_repeated_deliveries_of_an_event_become_one_message(self, graph: Graph) -> None:
        """The queue deduplicates by message body, so both deliveries of an event must have the same body."""
        inputs = graph.one("EventTarget", "analytics-target").inputs
        order = {"order_id": "o", "items": [{"product_id": "p", "quantity": 1}], "updated_at": "2026-01-02T…Z"}
        detail = {"event_id": "o:CONFIRMED", "order": order}
        envelopes = [
            {"id": number, "time": number, "detail-type": "OrderConfirmed", "source": "orders.api", "detail": detail}
            for number in ("1", "2")
        ]
        first, second = (transformed(inputs["inputTransformer"], envelope) for envelope in envelopes)
        assert first == second
        assert json.loads(first) == {"event_id": "o:CONFIRMED", "detail_type": "OrderConfirmed", "order": order}
        assert inputs["sqsTarget"] == {"messageGroupId": "orders"}
        assert graph.one("Queue", "analytics").inputs["contentBasedDeduplication"] is True

    def test_analytics_queue_and_its_dead_letter_queue_are_fifo(self, graph: Graph) -> None:
        queue, dead = graph.one("Queue", "analytics").inputs, graph.one("Queue", "analytics-dlq").inputs
        assert (queue["fifoQueue"], queue["name"]) == (True, "orders-dev-analytics.fifo")
        assert (dead["fifoQueue"], dead["name"]) == (True, "orders-dev-analytics-dlq.fifo")
        assert json.loads(queue["redrivePolicy"]) == {
            "deadLetterTargetArn": f"{QUEUES}-analytics-dlq.fifo",
            "maxReceiveCount": 5,
        }
        assert sent_by_rules(graph, "analytics-dlq", "") == []

    def test_visibility_timeout_is_six_times_the_functions_timeout(self) -> None:
        override = {"record_analytics": FunctionOverride(timeout_s=40)}
        graph = record_event_bus(context=context(overrides=override))
        assert graph.one("Queue", "analytics").inputs["visibilityTimeoutSeconds"] == 240

    def test_consumer_reports_single_failed_messages(self, graph: Graph) -> None:
        inputs = graph.one("EventSourceMapping", "record-analytics-queue").inputs
        assert inputs["eventSourceArn"] == f"{QUEUES}-analytics.fifo"
        assert inputs["functionName"] == f"{FUNCTIONS}-record-analytics:live"
        assert inputs["functionResponseTypes"] == ["ReportBatchItemFailures"]
        assert inputs["batchSize"] <= 10
        assert inputs["scalingConfig"] == {"maximumConcurrency": 2}

    def test_consumer_may_only_write_orders_to_the_bucket_and_consume_its_queue(self, graph: Graph) -> None:
        bucket = graph.one("Bucket", "data-analytics").state["arn"]
        assert allowed(graph, "record-analytics", "s3") == {("s3:PutObject", f"{bucket}/orders/*")}
        queue = f"{QUEUES}-analytics.fifo"
        verbs = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
        failures = ("sqs:SendMessage", f"{QUEUES}-analytics-dlq.fifo")
        assert allowed(graph, "record-analytics", "sqs") == {failures, *((f"sqs:{verb}", queue) for verb in verbs)}

    def test_consumer_gets_its_dead_letter_queue_and_the_receive_limit(self, graph: Graph) -> None:
        variables = graph.one("aws:lambda/function:Function", "record-analytics").inputs["environment"]["variables"]
        queue, failures = graph.one("Queue", "analytics"), graph.one("Queue", "analytics-dlq")
        assert variables["FAILURE_QUEUE_URL"] == failures.state["url"]
        received = json.loads(queue.inputs["redrivePolicy"])["maxReceiveCount"]
        assert variables["RECEIVED_AT_MOST"] == str(received)


def transformed(transformer: Any, event: dict[str, Any]) -> str:
    """Apply an input transformer to an event as EventBridge does, inserting each value as compact JSON."""
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

    def test_fail_order_knows_the_time_limit_of_the_standard_workflow(self, graph: Graph) -> None:
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

    def test_send_email_may_only_read_profiles_and_write_claims(self, graph: Graph) -> None:
        verbs = ("PutItem", "UpdateItem")
        kept = {(f"dynamodb:{verb}", f"{TABLES}-idempotency") for verb in verbs}
        assert allowed(graph, "send-email", "dynamodb") == kept | {("dynamodb:GetItem", f"{TABLES}-users")}

    @pytest.mark.parametrize(("create", "made"), [(True, ["orders@example.com"]), (False, [])])
    def test_ses_identity_is_created_only_if_requested(self, create: bool, made: list[str]) -> None:
        graph = record_event_bus(create_identity=create)
        assert [identity.inputs["emailIdentity"] for identity in graph.of("EmailIdentity")] == made


class TestFailureQueues:
    def test_ops_output_lists_every_failure_queue(self, graph: Graph) -> None:
        described = graph.outputs["ops"]["failureQueues"]
        assert {entry["url"] for entry in described.values()} == {
            queue.state["url"] for queue in graph.of("Queue") if queue.name != "analytics"
        }

    @pytest.mark.parametrize(
        ("name", "kind", "redrive_to"),
        [
            ("process-order-delivery", "delivery", f"{FUNCTIONS}-process-order:live"),
            ("send-email-failures", "invocation", f"{FUNCTIONS}-send-email:live"),
            ("process-order-dlq", "dead-letter", f"{FUNCTIONS}-process-order:live"),
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
