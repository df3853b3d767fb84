import json
from collections.abc import Mapping
from typing import Any

from tests.local.cloud import Cloud, allow, log_group, unique

# This function prints the names of the records that it receives, and fails if a name contains "poison".
CONSUMER = """
    def handle(event, context):
        names = [record["dynamodb"]["Keys"]["id"]["S"] for record in event["Records"]]
        print("got", ",".join(names))
        if any("poison" in name for name in names):
            raise ValueError("poison")
"""
PARTIAL = """
    def handle(event, context):
        failures = []
        for record in event["Records"]:
            print("saw", record["dynamodb"]["Keys"]["id"]["S"])
            if "poison" in record["dynamodb"]["Keys"]["id"]["S"]:
                failures.append({"itemIdentifier": record["dynamodb"]["SequenceNumber"]})
                break
        return {"batchItemFailures": failures}
"""
READ = allow("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "sqs:SendMessage")


def table(cloud: Cloud) -> tuple[str, str]:
    name = unique("table")
    made = cloud(
        "dynamodb",
        "create_table",
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return name, made["TableDescription"]["LatestStreamArn"]


def write(cloud: Cloud, name: str, *ids: str) -> None:
    """Write items in one transaction, so that their records arrive in one batch."""
    puts = [{"Put": {"TableName": name, "Item": {"id": {"S": each}}}} for each in ids]
    cloud("dynamodb", "transact_write_items", TransactItems=puts)


def consume(cloud: Cloud, source: str, stream: str, **settings: Any) -> str:
    function = cloud.function(source, READ)
    cloud(
        "lambda",
        "create_event_source_mapping",
        FunctionName=function,
        EventSourceArn=stream,
        StartingPosition="TRIM_HORIZON",
        **settings,
    )
    return log_group(function)


def on_failure(arn: str) -> Mapping[str, Any]:
    return {"OnFailure": {"Destination": arn}}


def test_batch_is_reported_without_its_records_after_the_last_retry(cloud: Cloud) -> None:
    name, stream = table(cloud)
    url, queue = cloud.queue()
    group = consume(cloud, CONSUMER, stream, MaximumRetryAttempts=1, DestinationConfig=on_failure(queue))

    write(cloud, name, "poison-1")
    record = json.loads(cloud.messages(url)[0]["Body"])
    write(cloud, name, "after")

    assert record["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 2
    batch = record["DDBStreamBatchInfo"]
    assert batch["streamArn"] == stream
    assert batch["batchSize"] == 1
    assert batch["startSequenceNumber"] == batch["endSequenceNumber"]
    assert "poison" not in json.dumps(record)
    assert len(cloud.log(group, "got poison-1")) == 2
    assert cloud.log(group, "got after")


def test_failing_batch_is_split_until_one_record_is_left(cloud: Cloud) -> None:
    name, stream = table(cloud)
    url, queue = cloud.queue()
    write(cloud, name, "a", "b", "poison-2", "d")
    group = consume(
        cloud,
        CONSUMER,
        stream,
        MaximumRetryAttempts=0,
        BisectBatchOnFunctionError=True,
        DestinationConfig=on_failure(queue),
    )

    assert json.loads(cloud.messages(url)[0]["Body"])["DDBStreamBatchInfo"]["batchSize"] == 1
    got = [line.split()[1].split(",") for line in cloud.log(group, "got", count=5)]
    # Lambda splits the batch of four into halves, then splits the half that contains the poison record. The order of
    # the halves can vary.
    assert [len(names) for names in got] in ([4, 2, 2, 1, 1], [4, 2, 1, 1, 2])


def test_partial_response_does_not_repeat_processed_records(cloud: Cloud) -> None:
    name, stream = table(cloud)
    url, queue = cloud.queue()
    write(cloud, name, "first", "poison-4", "last")
    group = consume(
        cloud,
        PARTIAL,
        stream,
        MaximumRetryAttempts=1,
        BisectBatchOnFunctionError=True,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        DestinationConfig=on_failure(queue),
    )

    assert json.loads(cloud.messages(url)[0]["Body"])["DDBStreamBatchInfo"]["batchSize"] >= 1
    assert len(cloud.log(group, "saw first")) == 1


def test_filtered_records_do_not_reach_the_function(cloud: Cloud) -> None:
    name, stream = table(cloud)
    pattern = json.dumps({"dynamodb": {"Keys": {"id": {"S": [{"prefix": "keep"}]}}}})
    group = consume(cloud, CONSUMER, stream, FilterCriteria={"Filters": [{"Pattern": pattern}]})

    write(cloud, name, "drop-1", "keep-1")

    assert cloud.log(group, "got") == ["got keep-1"]


def test_batching_window_collects_records_into_one_batch(cloud: Cloud) -> None:
    name, stream = table(cloud)
    group = consume(cloud, CONSUMER, stream, BatchSize=100, MaximumBatchingWindowInSeconds=3)

    write(cloud, name, "one")
    write(cloud, name, "two")

    assert len(cloud.log(group, "got")) == 1
    assert cloud.log(group, "got one,two")


def test_full_batch_does_not_wait_for_the_batching_window(cloud: Cloud) -> None:
    name, stream = table(cloud)
    group = consume(cloud, CONSUMER, stream, BatchSize=2, MaximumBatchingWindowInSeconds=300)

    write(cloud, name, "one", "two")

    assert len(cloud.log(group, "got")) == 1
