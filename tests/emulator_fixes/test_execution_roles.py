import json
from typing import Any

import pytest

from tests.local.cloud import Cloud, allow, unique


def run(cloud: Cloud, resource: str, arguments: dict[str, Any], *statements: dict[str, Any]) -> dict[str, Any]:
    task = {"Type": "Task", "Resource": resource, "Arguments": arguments, "End": True}
    return cloud.run(cloud.machine({"Task": task}, *statements))


@pytest.fixture
def table(cloud: Cloud) -> str:
    name = unique("table")
    cloud(
        "dynamodb",
        "create_table",
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def test_workflow_without_permission_cannot_invoke_a_function(cloud: Cloud) -> None:
    function = cloud.function("def handle(event, context): return 1")
    other = allow("lambda:InvokeFunction", on=f"{function}-other")
    ended = run(cloud, "arn:aws:states:::lambda:invoke", {"FunctionName": function}, other)

    assert ended["error"] == "Lambda.AWSLambdaException"
    assert f"not authorized to perform: lambda:InvokeFunction on resource: {function}" in ended["cause"]


def test_workflow_without_permission_cannot_write_to_a_table(cloud: Cloud, table: str) -> None:
    put = {"TableName": table, "Item": {"id": {"S": "a"}}}
    arn = cloud.arn("dynamodb", f"table/{table}")
    refused = run(cloud, "arn:aws:states:::dynamodb:putItem", put, allow("dynamodb:GetItem", on=arn))
    done = run(cloud, "arn:aws:states:::dynamodb:putItem", put, allow("dynamodb:PutItem", on=arn))

    assert refused["error"] == "DynamoDB.AccessDeniedException"
    assert done["status"] == "SUCCEEDED"


def test_batch_read_by_a_workflow_requires_permission_to_call_batch_get_item(cloud: Cloud, table: str) -> None:
    batch = {"RequestItems": {table: {"Keys": [{"id": {"S": "a"}}], "ConsistentRead": True}}}
    resource, arn = "arn:aws:states:::aws-sdk:dynamodb:batchGetItem", cloud.arn("dynamodb", f"table/{table}")
    refused = run(cloud, resource, batch, allow("dynamodb:GetItem", on=arn))
    done = run(cloud, resource, batch, allow("dynamodb:BatchGetItem", on=arn))

    assert refused["error"] == "DynamoDb.AccessDeniedException"
    assert json.loads(done["output"]) == {"Responses": {table: []}, "UnprocessedKeys": {}}


def test_workflow_without_permission_cannot_publish_to_a_topic(cloud: Cloud) -> None:
    topic = cloud("sns", "create_topic", Name=unique("topic"))["TopicArn"]
    arguments = {"TopicArn": topic, "Message": "x"}
    refused = run(cloud, "arn:aws:states:::sns:publish", arguments, allow("sns:Subscribe", on=topic))
    done = run(cloud, "arn:aws:states:::sns:publish", arguments, allow("sns:Publish", on=topic))

    assert refused["error"] == "SNS.AuthorizationErrorException"
    assert done["status"] == "SUCCEEDED"


def test_failed_condition_of_a_dynamodb_write_has_the_same_error_name_as_on_aws(cloud: Cloud, table: str) -> None:
    put = {
        "TableName": table,
        "Item": {"id": {"S": "twice"}},
        "ConditionExpression": "attribute_not_exists(id)",
    }
    permission = allow("dynamodb:PutItem", on=cloud.arn("dynamodb", f"table/{table}"))
    resource = "arn:aws:states:::dynamodb:putItem"

    assert run(cloud, resource, put, permission)["status"] == "SUCCEEDED"
    assert run(cloud, resource, put, permission)["error"] == "DynamoDB.ConditionalCheckFailedException"
