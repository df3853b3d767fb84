from tests.local.cloud import Cloud, allow, unique

_TIMES = 150


def test_concurrent_updates_by_a_workflow_and_a_client_all_take_effect(cloud: Cloud) -> None:
    table = unique("counters")
    cloud(
        "dynamodb",
        "create_table",
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    key = {"id": {"S": "one"}}
    cloud("dynamodb", "put_item", TableName=table, Item={**key, "n": {"N": "0"}, "padding": {"L": [{"S": "x"}] * 300}})
    update = {
        "TableName": table,
        "Key": key,
        "UpdateExpression": "SET n = n + :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    count = {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:updateItem", "Arguments": update, "End": True}
    each = {
        "Type": "Map",
        "Items": list(range(_TIMES)),
        "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "Count", "States": {"Count": count}},
        "End": True,
    }
    machine = cloud.machine({"Each": each}, allow("dynamodb:UpdateItem"))
    started = cloud("stepfunctions", "start_execution", stateMachineArn=machine)
    for _ in range(_TIMES):
        cloud("dynamodb", "update_item", **update)
    assert cloud.ended(started["executionArn"])["status"] == "SUCCEEDED"

    row = cloud("dynamodb", "get_item", TableName=table, Key=key)["Item"]
    assert int(row["n"]["N"]) == 2 * _TIMES
