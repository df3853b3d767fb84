"""Tests of the event bus: the publisher, the rules, the targets, and the queues for events that were not delivered."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import settings
from components.events import outbox
from components.events.mail_queue import remembered_days
from contracts.orders import TRANSITIONS
from tests.components.event_graph import (
    ALL,
    ANALYTICS,
    CONSUMED,
    FUNCTIONS,
    QUEUES,
    SUCCESSES,
    TABLES,
    allowed,
    matches,
    rule_arn,
    sent_by_rules,
    statement_of,
)
from tests.components.order_programs import record_event_bus
from tests.support.graph import ACCOUNT, REGION, Graph, Resource

HOUR_S = 3600
DAY_S = 24 * HOUR_S
SIX_HOURS_S = 6 * 3600
# The expected targets of the EventBridge rules. Each value is a pair: the rule, and the ARN of the function or queue
# that receives the events.
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


def dead_letters_of(target: str) -> str:
    """Return the name of the dead-letter queue for events that EventBridge could not deliver to `target`."""
    return "analytics-delivery" if target in ANALYTICS else f"{target}-delivery"


@pytest.fixture(scope="module")
def graph(graph_of: Callable[[str], Graph]) -> Graph:
    """The resource graph of the whole program for the stack dev."""
    return graph_of("dev")


class TestBus:
    def test_archive_keeps_every_event_for_replay(self, graph: Graph) -> None:
        archive = graph.one("EventArchive", "events-archive").inputs
        assert archive["eventSourceArn"] == graph.one("EventBus", "events-bus").state["arn"]
        assert archive["retentionDays"] == 7
        assert "eventPattern" not in archive

    def test_send_email_remembers_an_email_until_no_copy_of_its_event_can_arrive(self, graph: Graph) -> None:
        variables = graph.one("aws:lambda/function:Function", "send-email").inputs["environment"]["variables"]
        # The queue `email` counts twice: after a failure, a redrive sends the event from `send-email-failures` to
        # `email` again.
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
    def test_each_target_function_may_be_invoked_only_by_its_own_rule(self, graph: Graph, name: str) -> None:
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

    def test_process_order_has_destinations_for_failures_and_successes(self, graph: Graph) -> None:
        name = "process-order"
        config = graph.one("FunctionEventInvokeConfig", f"{name}-invocation").inputs
        assert config["destinationConfig"] == {
            "onFailure": {"destination": f"{QUEUES}-{name}-failures"},
            "onSuccess": {"destination": SUCCESSES},
        }
        assert ("sns:Publish", SUCCESSES) in allowed(graph, name, "sns")


class TestRelay:
    def mapping(self, graph: Graph) -> Resource:
        return graph.one("EventSourceMapping", "publish-order-events-stream")

    def test_relay_starts_with_the_oldest_record_and_reports_only_failed_records_of_a_batch(self, graph: Graph) -> None:
        inputs = self.mapping(graph).inputs
        assert inputs["eventSourceArn"] == graph.one("Table", "data-orders").state["streamArn"]
        assert inputs["functionName"] == f"{FUNCTIONS}-publish-order-events:live"
        assert inputs["startingPosition"] == "TRIM_HORIZON"
        assert inputs["functionResponseTypes"] == ["ReportBatchItemFailures"]

    def test_relay_retries_a_record_until_the_stream_deletes_it(self, graph: Graph) -> None:
        inputs = self.mapping(graph).inputs
        assert inputs["bisectBatchOnFunctionError"] is True
        # The value -1 means that Lambda limits neither the number of retries nor the age of the record.
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

    def test_send_email_may_only_read_profiles_and_use_the_idempotency_table(self, graph: Graph) -> None:
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
    def test_ops_output_contains_kind_and_redrive_target_of_each_failure_queue(
        self, graph: Graph, name: str, kind: str, redrive_to: str
    ) -> None:
        entry = graph.outputs["ops"]["failureQueues"][name]
        assert (entry["kind"], entry["redriveTo"]) == (kind, redrive_to)
