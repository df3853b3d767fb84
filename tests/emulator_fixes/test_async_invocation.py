import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator_fixes import async_invocation
from tests.emulator_fixes.test_stream_mapping import metric
from tests.local.cloud import Cloud, Gate, allow, eventually, log_group
from tests.support.graph import Graph

FAILING = """
    class OutOfStock(Exception):
        pass
    def handle(event, context):
        print("request", context.aws_request_id)
        raise OutOfStock("none left")
"""
# The first version of this function runs until the file `go_on` exists, and then fails.
FAILING_LATER = """
    import pathlib, time
    def handle(event, context):
        pathlib.Path({began!r}).touch()
        while not pathlib.Path({go_on!r}).exists():
            time.sleep(0.05)
        raise ValueError("failed")
    def fixed(event, context):
        print("fixed")
"""


class Clock:
    """Replaces the module `time`, so that the pauses between attempts take no real time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 0.0
        monkeypatch.setattr(async_invocation, "PATIENCE", 1)
        monkeypatch.setattr(async_invocation, "wait_for_express_executions", lambda: None)
        monkeypatch.setattr(async_invocation, "time", self)

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def configure(cloud: Cloud, function: str, **config: object) -> None:
    name, _, qualifier = function.partition(":function:")[2].partition(":")
    cloud("lambda", "put_function_event_invoke_config", FunctionName=name, Qualifier=qualifier, **config)


def test_failed_event_reaches_on_failure_destination_and_dead_letter_queue(cloud: Cloud) -> None:
    failures_url, failures = cloud.queue()
    dead_url, dead = cloud.queue()
    send = allow("sqs:SendMessage", on="*")
    function = cloud.function(FAILING, send, DeadLetterConfig={"TargetArn": dead})
    configure(cloud, function, MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": failures}})

    cloud.invoke(function, {"order": 1}, kind="Event")

    record = json.loads(cloud.messages(failures_url)[0]["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 2
    assert record["requestContext"]["functionArn"] == function
    assert record["requestPayload"] == {"order": 1}
    assert record["responsePayload"]["errorType"] == "OutOfStock"
    assert record["responseContext"]["functionError"] == "Unhandled"
    letter = cloud.messages(dead_url)[0]
    assert json.loads(letter["Body"]) == {"order": 1}
    attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert attributes["RequestID"] == record["requestContext"]["requestId"]
    assert attributes["ErrorMessage"] == "none left"


def test_all_attempts_of_an_event_have_the_same_request_id(cloud: Cloud) -> None:
    function = cloud.function(FAILING)
    configure(cloud, function, MaximumRetryAttempts=1)

    cloud.invoke(function, {}, kind="Event")

    lines = cloud.log(log_group(function), "request ", count=2)
    assert lines[0] == lines[1]


def test_retry_of_an_asynchronous_invocation_waits_for_running_express_executions(cloud: Cloud, tmp_path: Path) -> None:
    gate = Gate.closed(cloud, tmp_path)
    machine = cloud.machine({"Task": {**gate.task, "End": True}}, allow("lambda:InvokeFunction"), express=True)
    function = cloud.function(FAILING)
    configure(cloud, function, MaximumRetryAttempts=1)
    cloud("stepfunctions", "start_execution", stateMachineArn=machine, input="{}")

    cloud.invoke(function, {}, kind="Event")
    cloud.log(log_group(function), "request ")
    time.sleep(0.5)
    assert len(cloud.log(log_group(function), "request ")) == 1

    gate.open()
    assert len(cloud.log(log_group(function), "request ", count=2)) == 2


def test_successful_event_is_published_to_the_success_topic(cloud: Cloud) -> None:
    url, queue = cloud.queue({"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage"})
    topic = cloud("sns", "create_topic", Name="handled")["TopicArn"]
    cloud("sns", "subscribe", TopicArn=topic, Protocol="sqs", Endpoint=queue)
    function = cloud.function("def handle(event, context): return {'done': event['order']}", allow("sns:Publish"))
    configure(cloud, function, DestinationConfig={"OnSuccess": {"Destination": topic}})

    cloud.invoke(function, {"order": 2}, kind="Event")

    record = json.loads(json.loads(cloud.messages(url)[0]["Body"])["Message"])
    assert record["requestContext"]["condition"] == "Success"
    assert record["responsePayload"] == {"done": 2}


def test_event_older_than_its_maximum_age_is_not_retried() -> None:
    # On AWS, the maximum age is at least 60 s. This test uses 0 s, to avoid the wait.
    settings = {"MaximumEventAgeInSeconds": 0}

    _, attempts, condition = async_invocation.attempt(lambda: {"error": True}, settings, base_s=1, longest_s=1)

    assert (attempts, condition) == (1, "EventAgeExceeded")


@pytest.mark.parametrize(
    ("throttled_s", "condition", "attempts"),
    [(600, "Success", 1), (21_000, "Success", 1), (22_000, "EventAgeExceeded", 0)],
)
def test_throttled_event_is_retried_until_its_maximum_age(
    monkeypatch: pytest.MonkeyPatch, throttled_s: int, condition: str, attempts: int
) -> None:
    clock = Clock(monkeypatch)

    def invoke() -> dict[str, bool]:
        return {"error": True, "throttle": True} if clock.now_s < throttled_s else {}

    settings = {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 21_600}
    found = async_invocation.attempt(invoke, settings, base_s=60, longest_s=300)
    assert found[1:] == (attempts, condition)


def test_event_still_has_three_attempts_after_throttling(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)

    def invoke() -> dict[str, bool]:
        return {"error": True, "throttle": clock.now_s < 600}

    found = async_invocation.attempt(invoke, {"MaximumRetryAttempts": 2}, base_s=60, longest_s=300)
    assert found[1:] == (3, "RetriesExhausted")


def test_ten_minutes_of_throttling_drop_only_events_that_the_next_sweep_for_late_orders_replaces(
    monkeypatch: pytest.MonkeyPatch, graph_of: Callable[[str], Graph]
) -> None:
    conditions: dict[str, str] = {}
    for config in graph_of("prod").of("FunctionEventInvokeConfig"):
        clock = Clock(monkeypatch)

        def invoke(clock: Clock = clock) -> dict[str, bool]:
            return {"error": True, "throttle": True} if clock.now_s < 600 else {}

        settings = {
            "MaximumRetryAttempts": config.inputs["maximumRetryAttempts"],
            "MaximumEventAgeInSeconds": config.inputs["maximumEventAgeInSeconds"],
        }
        _, _, conditions[config.name] = async_invocation.attempt(invoke, settings, base_s=60, longest_s=300)
    dropped = {name for name, condition in conditions.items() if condition == "EventAgeExceeded"}
    assert set(conditions.values()) == {"Success", "EventAgeExceeded"}
    # These two functions have a short maximum event age, so Lambda drops their events. No order is lost, because the
    # next sweep starts the workflows of late orders.
    assert dropped == {"process-order-invocation", "restart-late-orders-invocation"}


def test_retry_of_an_asynchronous_invocation_runs_the_current_version_of_the_alias(
    cloud: Cloud, tmp_path: Path
) -> None:
    began, go_on = tmp_path / "began", tmp_path / "go-on"
    function = cloud.function(FAILING_LATER.format(began=str(began), go_on=str(go_on)), Timeout=900)
    name = function.split(":")[6]
    configure(cloud, function, MaximumRetryAttempts=1)
    cloud.invoke(function, {}, kind="Event")
    eventually(began.exists)

    cloud("lambda", "update_function_configuration", FunctionName=name, Handler="app.fixed")
    version = cloud("lambda", "publish_version", FunctionName=name)["Version"]
    cloud("lambda", "update_alias", FunctionName=name, Name="live", FunctionVersion=version)
    go_on.touch()

    assert cloud.log(log_group(function), "fixed")


def test_failed_event_is_dropped_if_the_role_of_the_function_may_not_send_it_to_a_queue(cloud: Cloud) -> None:
    url, queue = cloud.queue()
    role = cloud.role(allow("sqs:SendMessage", on=queue))
    function = cloud.function(FAILING, Role=role, DeadLetterConfig={"TargetArn": queue})
    destination = {"OnFailure": {"Destination": queue}}
    configure(cloud, function, MaximumRetryAttempts=0, DestinationConfig=destination)
    cloud(
        "iam",
        "put_role_policy",
        RoleName=role.rpartition("/")[2],
        PolicyName="p",
        PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [allow("sqs:SendMessage", on=f"{queue}-other")]}
        ),
    )

    cloud.invoke(function, {}, kind="Event")

    assert cloud.quiet(url)
    for name in ("AsyncEventsDropped", "DestinationDeliveryFailures", "DeadLetterErrors"):
        assert metric(cloud, name, function.split(":")[6]) == 1
