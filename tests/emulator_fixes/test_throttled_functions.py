import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.local.cloud import Cloud, allow, eventually
from tests.local.http_api import HttpApi
from tests.local.rest import RestApi

QUICK = """
    def handle(event, context):
        for record in event.get("Records", [{}]):
            print("ran", record.get("attributes", {}).get("ApproximateReceiveCount"))
        return {"statusCode": 200, "body": "fine"}
"""
# The fields `running` and `gate` of the event are file paths. The function creates the file `running` when it starts,
# and ends when the file `gate` exists.
GATED = """
    import pathlib, time
    def handle(event, context):
        pathlib.Path(event["running"]).touch()
        while not pathlib.Path(event["gate"]).exists():
            time.sleep(0.01)
        return "ended"
"""
RETRIES_S = 0.6
"""Time in seconds for several retries, which happen every 0.1 to 0.3 s here."""


def name_of(function: str) -> str:
    return function.split(":")[6]


def limit(cloud: Cloud, function: str, to: int) -> None:
    cloud("lambda", "put_function_concurrency", FunctionName=name_of(function), ReservedConcurrentExecutions=to)


def unlimit(cloud: Cloud, function: str) -> None:
    cloud("lambda", "delete_function_concurrency", FunctionName=name_of(function))


def throttled(cloud: Cloud, **named: Any) -> str:
    """Invoke a throttled Lambda function with the parameters `named`, and return the `Reason` of the error."""
    client = cloud.client("lambda")
    with pytest.raises(client.exceptions.TooManyRequestsException) as raised:
        client.invoke(**named)
    response: Any = raised.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
    return response["Reason"]


def runs(cloud: Cloud, function: str) -> list[str]:
    return cloud.log(f"/aws/lambda/{name_of(function)}", "ran")


def has_not_run(cloud: Cloud, function: str) -> bool:
    groups = cloud("logs", "describe_log_groups", logGroupNamePrefix=f"/aws/lambda/{name_of(function)}")
    return not groups["logGroups"]


@pytest.mark.parametrize("qualifier", ["live", "1", "$LATEST"])
def test_reserved_concurrency_of_zero_throttles_every_version_and_alias(cloud: Cloud, qualifier: str) -> None:
    function = cloud.function(QUICK)
    limit(cloud, function, 0)

    reason = throttled(cloud, FunctionName=name_of(function), Qualifier=qualifier)
    unlimit(cloud, function)

    assert reason == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert cloud.invoke(function, {})["body"] == "fine"


def test_reserved_concurrency_of_one_throttles_a_second_invocation(cloud: Cloud, tmp_path: Path) -> None:
    function = cloud.function(GATED)
    limit(cloud, function, 1)
    files = {"running": str(tmp_path / "running"), "gate": str(tmp_path / "gate")}
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(cloud.invoke, function, files)
        eventually((tmp_path / "running").exists)
        reason = throttled(cloud, FunctionName=function)
        (tmp_path / "gate").touch()

        assert reason == "ReservedFunctionConcurrentInvocationLimitExceeded"
        assert first.result() == "ended"
    assert cloud.invoke(function, files) == "ended"


def test_throttled_invocation_does_not_count_as_an_attempt(cloud: Cloud) -> None:
    url, queue = cloud.queue()
    function = cloud.function(QUICK, allow("sqs:SendMessage"))
    destinations = {"OnSuccess": {"Destination": queue}, "OnFailure": {"Destination": queue}}
    cloud(
        "lambda",
        "put_function_event_invoke_config",
        FunctionName=name_of(function),
        Qualifier="live",
        MaximumRetryAttempts=0,
        DestinationConfig=destinations,
    )
    limit(cloud, function, 0)

    cloud.invoke(function, {}, kind="Event")
    assert cloud.quiet(url, RETRIES_S)
    unlimit(cloud, function)

    context = json.loads(cloud.messages(url)[0]["Body"])["requestContext"]
    assert (context["condition"], context["approximateInvokeCount"]) == ("Success", 1)


def test_messages_return_to_the_queue_of_a_throttled_function(cloud: Cloud) -> None:
    url, queue = cloud.queue(VisibilityTimeout="1")
    reads = allow("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
    function = cloud.function(QUICK, reads, Timeout=1)
    limit(cloud, function, 0)
    cloud("sqs", "send_message", QueueUrl=url, MessageBody="one")
    cloud("lambda", "create_event_source_mapping", FunctionName=function, EventSourceArn=queue)

    def hidden() -> bool:
        found = cloud("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return found["ApproximateNumberOfMessagesNotVisible"] == "1"

    # The message is hidden during its first delivery. When it is visible again, Lambda has throttled this delivery.
    eventually(hidden)
    eventually(lambda: not hidden())
    unlimit(cloud, function)

    assert int(runs(cloud, function)[0].split()[-1]) > 1


def test_stream_records_wait_for_a_throttled_function(cloud: Cloud) -> None:
    url, queue = cloud.queue()
    table = f"throttled-{time.time_ns()}"
    made = cloud(
        "dynamodb",
        "create_table",
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )
    reads = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
    function = cloud.function(QUICK, allow(*reads, "sqs:SendMessage"))
    limit(cloud, function, 0)
    cloud(
        "lambda",
        "create_event_source_mapping",
        FunctionName=function,
        EventSourceArn=made["TableDescription"]["LatestStreamArn"],
        StartingPosition="TRIM_HORIZON",
        MaximumRetryAttempts=0,
        BisectBatchOnFunctionError=True,
        DestinationConfig={"OnFailure": {"Destination": queue}},
    )
    puts = [{"Put": {"TableName": table, "Item": {"id": {"S": each}}}} for each in ("a", "b")]
    cloud("dynamodb", "transact_write_items", TransactItems=puts)
    assert cloud.quiet(url, RETRIES_S)
    assert has_not_run(cloud, function)
    unlimit(cloud, function)

    assert len(runs(cloud, function)) == len(puts)
    assert "Messages" not in cloud("sqs", "receive_message", QueueUrl=url)


def test_api_returns_500_for_a_throttled_function(cloud: Cloud) -> None:
    function = cloud.function(QUICK)
    rest, http = RestApi.make(cloud), HttpApi.make(cloud, function, "GET /things")
    rest.proxy("things", "GET", function)
    rest.deploy()
    limit(cloud, function, 0)

    answer = rest.send("GET", "things")
    assert (answer.status, answer.json()) == (500, {"message": "Internal server error"})
    answer = http.get("/things")
    assert (answer.status, answer.json()) == (500, {"message": "Internal Server Error"})


def test_rest_api_returns_its_customized_gateway_response_for_a_throttled_function(cloud: Cloud) -> None:
    function = cloud.function(QUICK)
    api = RestApi.make(cloud)
    api.proxy("things", "GET", function)
    api.call(
        "put_gateway_response",
        responseType="INTEGRATION_FAILURE",
        statusCode="502",
        responseTemplates={"application/json": '{"code": "InternalError"}'},
    )
    api.deploy()
    limit(cloud, function, 0)

    answer = api.send("GET", "things")
    assert (answer.status, answer.json()) == (502, {"code": "InternalError"})


def test_task_that_invokes_a_throttled_function_fails_with_the_same_error_as_on_aws(cloud: Cloud) -> None:
    function = cloud.function(QUICK)
    limit(cloud, function, 0)
    invoke = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function},
        "End": True,
    }

    ended = cloud.run(cloud.machine({"Invoke": invoke}, allow("lambda:InvokeFunction")))

    assert (ended["status"], ended["error"]) == ("FAILED", "Lambda.TooManyRequestsException")
