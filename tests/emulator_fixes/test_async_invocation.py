import json
import time
from pathlib import Path

from emulator_fixes import async_invocation
from tests.local.cloud import Cloud, Gate, allow, log_group

FAILING = """
    class OutOfStock(Exception):
        pass
    def handle(event, context):
        print("request", context.aws_request_id)
        raise OutOfStock("none left")
"""


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


def test_retry_waits_for_running_express_executions(cloud: Cloud, tmp_path: Path) -> None:
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
    # The minimum on AWS is 60 s, which is too long for a test.
    settings = {"MaximumEventAgeInSeconds": 0}

    _, attempts, condition = async_invocation.attempt(lambda: {"error": True}, settings, base_s=1, longest_s=1)

    assert (attempts, condition) == (1, "EventAgeExceeded")


def test_dead_letter_is_not_sent_without_permission_of_the_role(cloud: Cloud) -> None:
    url, queue = cloud.queue()
    role = cloud.role(allow("sqs:SendMessage", on=queue))
    function = cloud.function(FAILING, Role=role, DeadLetterConfig={"TargetArn": queue})
    configure(cloud, function, MaximumRetryAttempts=0)
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
