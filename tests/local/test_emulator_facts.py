"""Tests of emulator behavior on which the platform relies. An upgrade of the emulator can change this behavior."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import CallError
from tests.local.cloud import Cloud, eventually, log_group, unique


@pytest.fixture
def table(cloud: Cloud) -> str:
    name = unique("facts")
    cloud(
        "dynamodb",
        "create_table",
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    cloud("dynamodb", "put_item", TableName=name, Item={"id": {"S": "a"}, "quantity": {"N": "5"}})
    return name


def take(table: str, amount: int) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": table,
            "Key": {"id": {"S": "a"}},
            "UpdateExpression": "SET quantity = quantity - :n",
            "ConditionExpression": "quantity >= :n",
            "ExpressionAttributeValues": {":n": {"N": str(amount)}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def left(cloud: Cloud, table: str) -> int:
    item = cloud("dynamodb", "get_item", TableName=table, Key={"id": {"S": "a"}}, ConsistentRead=True)["Item"]
    return int(item["quantity"]["N"])


def test_dynamodb_transaction_repeated_with_the_same_client_token_runs_once(cloud: Cloud, table: str) -> None:
    for _ in range(2):
        cloud("dynamodb", "transact_write_items", TransactItems=[take(table, 2)], ClientRequestToken="token-1")

    assert left(cloud, table) == 3


def test_different_dynamodb_transaction_with_the_same_client_token_is_refused(cloud: Cloud, table: str) -> None:
    cloud("dynamodb", "transact_write_items", TransactItems=[take(table, 1)], ClientRequestToken="token-2")

    with pytest.raises(CallError, match="IdempotentParameterMismatch"):
        cloud("dynamodb", "transact_write_items", TransactItems=[take(table, 2)], ClientRequestToken="token-2")


def test_canceled_dynamodb_transaction_changes_nothing_and_returns_reasons(cloud: Cloud, table: str) -> None:
    put = {"Put": {"TableName": table, "Item": {"id": {"S": "b"}}}}
    with pytest.raises(ClientError) as raised:
        cloud.client("dynamodb").transact_write_items(TransactItems=[put, take(table, 9)])

    reasons: Any = raised.value.response.get("CancellationReasons")
    assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed"]
    assert reasons[1]["Item"]["quantity"] == {"N": "5"}
    assert "Item" not in cloud("dynamodb", "get_item", TableName=table, Key={"id": {"S": "b"}})
    assert left(cloud, table) == 5


def test_failed_dynamodb_condition_returns_the_existing_item(cloud: Cloud, table: str) -> None:
    with pytest.raises(ClientError) as raised:
        cloud.client("dynamodb").put_item(
            TableName=table,
            Item={"id": {"S": "a"}},
            ConditionExpression="attribute_not_exists(id)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )

    response: Any = raised.value.response
    assert response["Error"]["Code"] == "ConditionalCheckFailedException"
    assert response["Item"]["quantity"] == {"N": "5"}


def test_fifo_message_received_too_often_moves_to_the_dead_letter_queue(cloud: Cloud) -> None:
    dead_url, dead = cloud.queue(fifo=True)
    redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 1})
    url, _ = cloud.queue(fifo=True, RedrivePolicy=redrive, VisibilityTimeout="1")
    cloud("sqs", "send_message", QueueUrl=url, MessageBody="poison", MessageGroupId="g")
    cloud("sqs", "receive_message", QueueUrl=url)

    def moved() -> Any:
        # Receive from the source queue first, because only this call makes the emulator move the message to the
        # dead-letter queue.
        cloud("sqs", "receive_message", QueueUrl=url)
        return cloud("sqs", "receive_message", QueueUrl=dead_url, MessageSystemAttributeNames=["All"]).get("Messages")

    message = eventually(moved)[0]
    assert message["Body"] == "poison"
    assert message["Attributes"]["MessageGroupId"] == "g"


def test_messages_that_a_function_reports_as_failed_stay_in_the_queue(cloud: Cloud) -> None:
    url, queue = cloud.queue(VisibilityTimeout="6")
    source = """
        def handle(event, context):
            failed = [record for record in event["Records"] if record["body"] == "poison"]
            print("got", sorted(record["body"] for record in event["Records"]))
            return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}
    """
    reads = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    function = cloud.function(source, {"Effect": "Allow", "Action": reads, "Resource": queue})
    entries = [{"Id": body, "MessageBody": body} for body in ("fine", "poison")]
    cloud("sqs", "send_message_batch", QueueUrl=url, Entries=entries)
    cloud(
        "lambda",
        "create_event_source_mapping",
        FunctionName=function,
        EventSourceArn=queue,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    cloud.log(log_group(function), "got")

    def counts() -> tuple[str, str]:
        found = cloud("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return found["ApproximateNumberOfMessages"], found["ApproximateNumberOfMessagesNotVisible"]

    assert eventually(lambda: counts() == ("0", "1"))


def test_function_cannot_see_packages_and_settings_of_the_local_platform(cloud: Cloud) -> None:
    source = """
        import importlib.util, os
        def handle(event, context):
            names = ["boto3", "urllib3", "pulumi", "local", "components", "pytest"]
            return {
                "importable": [name for name in names if importlib.util.find_spec(name)],
                "private": [name for name in os.environ if name.startswith(("MINISTACK", "STATE", "LOCAL_", "PYTHON"))],
                "role": __import__("boto3").client("sts").get_caller_identity()["Arn"].split("/")[0],
                "timeout": context.get_remaining_time_in_millis() > 0,
            }
    """
    assert cloud.invoke(cloud.function(source), {}) == {
        "importable": ["boto3", "urllib3"],
        "private": [],
        "role": "arn:aws:sts::000000000000:assumed-role",
        "timeout": True,
    }


def test_function_can_do_only_what_its_role_allows(cloud: Cloud, table: str) -> None:
    source = f"""
        import boto3
        def handle(event, context):
            boto3.client("dynamodb").get_item(TableName="{table}", Key={{"id": {{"S": "a"}}}})
    """
    allowed = {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": cloud.arn("dynamodb", f"table/{table}")}

    assert cloud.invoke(cloud.function(source, allowed), {}) is None
    assert cloud.invoke(cloud.function(source), {})["errorType"] == "ClientError"
