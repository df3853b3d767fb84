import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulator_fixes.stream_mapping import given_up
from tests.local.cloud import Cloud, allow, eventually, log_group, unique

# Code of a Lambda function. `handle` prints the ids of the records that it receives, and fails if an id contains
# "poison". `fixed` prints the id of the first record.
CONSUMER = """
    def handle(event, context):
        names = [record["dynamodb"]["Keys"]["id"]["S"] for record in event["Records"]]
        print("got", ",".join(names))
        if any("poison" in name for name in names):
            raise ValueError("poison")
    def fixed(event, context):
        print("fixed", event["Records"][0]["dynamodb"]["Keys"]["id"]["S"])
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
    """Write an item for each of `ids` in one transaction, so that Lambda delivers the stream records in one batch."""
    puts = [{"Put": {"TableName": name, "Item": {"id": {"S": each}}}} for each in ids]
    cloud("dynamodb", "transact_write_items", TransactItems=puts)


def consume(cloud: Cloud, source: str, stream: str, *, role: str | None = None, **settings: Any) -> str:
    function = cloud.function(source, READ, Role=role)
    cloud(
        "lambda",
        "create_event_source_mapping",
        FunctionName=function,
        EventSourceArn=stream,
        StartingPosition="TRIM_HORIZON",
        **settings,
    )
    return log_group(function)


def permit(cloud: Cloud, role: str, *statements: Mapping[str, Any]) -> None:
    """Replace the policy of the role `role` with one that contains only `statements`."""
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    cloud("iam", "put_role_policy", RoleName=role.rpartition("/")[2], PolicyName="p", PolicyDocument=document)


def metric(cloud: Cloud, name: str, function: str) -> float:
    """Return the sum of the metric `name` of the Lambda function `function` during the last hour."""
    now = datetime.now(UTC)
    found = cloud(
        "cloudwatch",
        "get_metric_statistics",
        Namespace="AWS/Lambda",
        MetricName=name,
        Dimensions=[{"Name": "FunctionName", "Value": function}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=7200,
        Statistics=["Sum"],
    )
    return sum(point["Sum"] for point in found["Datapoints"])


def on_failure(arn: str) -> Mapping[str, Any]:
    return {"OnFailure": {"Destination": arn}}


def test_on_failure_destination_gets_a_report_without_the_records_after_the_last_retry(cloud: Cloud) -> None:
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
    # The event source mapping splits the failed batch of four records into two halves. The half with the record
    # `poison-2` fails too, so the mapping splits it into two batches of one record. The function can receive the two
    # halves of a batch in either order.
    assert [len(names) for names in got] in ([4, 2, 2, 1, 1], [4, 2, 1, 1, 2])


def test_partial_batch_response_does_not_repeat_processed_records(cloud: Cloud) -> None:
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


def test_records_that_match_no_filter_do_not_reach_the_function(cloud: Cloud) -> None:
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


DAY_S = 24 * 3600
SIX_HOURS_S = 6 * 3600


@pytest.mark.parametrize(
    ("retries", "age_s", "attempts", "after_s", "condition"),
    [
        (10, SIX_HOURS_S, 10, 60, ""),
        (10, SIX_HOURS_S, 11, 60, "RetryAttemptsExhausted"),
        (10, SIX_HOURS_S, 1, SIX_HOURS_S + 1, "RecordAgeExceeded"),
        (-1, SIX_HOURS_S, 10_000, SIX_HOURS_S - 1, ""),
        (-1, SIX_HOURS_S, 1, SIX_HOURS_S + 1, "RecordAgeExceeded"),
        (-1, -1, 10_000, DAY_S - 1, ""),
        (-1, -1, 1, DAY_S + 1, "RecordAgeExceeded"),
    ],
)
def test_the_first_limit_that_a_batch_reaches_ends_its_retries(
    retries: int, age_s: int, attempts: int, after_s: int, condition: str
) -> None:
    limits = {"MaximumRetryAttempts": retries, "MaximumRecordAgeInSeconds": age_s}
    record = {"dynamodb": {"ApproximateCreationDateTime": 0.0}}
    assert given_up(limits, record, attempts, float(after_s)) == condition


def test_stream_records_wait_while_the_role_of_the_function_may_not_read_the_stream(cloud: Cloud) -> None:
    name, stream = table(cloud)
    url, queue = cloud.queue()
    role = cloud.role(READ)
    group = consume(cloud, CONSUMER, stream, role=role, MaximumRetryAttempts=0, DestinationConfig=on_failure(queue))
    write(cloud, name, "before")
    cloud.log(group, "got before")

    permit(cloud, role, allow("sqs:SendMessage"))
    write(cloud, name, "first", "second")
    write(cloud, name, "third")
    time.sleep(1)
    assert cloud.log(group, "got") == ["got before"]
    permit(cloud, role, READ)

    assert ",".join(line.removeprefix("got ") for line in cloud.log(group, "got", count=2)[1:]).startswith(
        "first,second"
    )
    assert cloud.log(group, "third")
    assert cloud.quiet(url, for_s=0)


def test_failed_delivery_to_the_on_failure_destination_is_counted_and_the_batch_is_discarded(cloud: Cloud) -> None:
    name, stream = table(cloud)
    url, queue = cloud.queue()
    role = cloud.role(READ)
    group = consume(cloud, CONSUMER, stream, role=role, MaximumRetryAttempts=0, DestinationConfig=on_failure(queue))
    permit(cloud, role, {**READ, "Action": [action for action in READ["Action"] if action.startswith("dynamodb:")]})

    write(cloud, name, "poison-5")
    cloud.log(group, "got poison-5")
    write(cloud, name, "after")

    assert cloud.log(group, "got after")
    assert metric(cloud, "DestinationDeliveryFailures", group.rpartition("/")[2]) == 1
    assert cloud.quiet(url, for_s=0)


def test_retry_of_a_batch_runs_the_current_version_of_the_alias(cloud: Cloud) -> None:
    name, stream = table(cloud)
    group = consume(cloud, CONSUMER, stream)
    function = group.rpartition("/")[2]
    write(cloud, name, "poison-6")
    cloud.log(group, "got poison-6")

    cloud("lambda", "update_function_configuration", FunctionName=function, Handler="app.fixed")
    version = cloud("lambda", "publish_version", FunctionName=function)["Version"]
    cloud("lambda", "update_alias", FunctionName=function, Name="live", FunctionVersion=version)

    assert cloud.log(group, "fixed poison-6")


def test_disabled_event_source_mapping_stops_between_attempts_and_resumes_at_the_same_record(cloud: Cloud) -> None:
    name, stream = table(cloud)
    group = consume(cloud, CONSUMER, stream)
    write(cloud, name, "poison-7")
    cloud.log(group, "got poison-7")
    (mapping,) = cloud("lambda", "list_event_source_mappings", EventSourceArn=stream)["EventSourceMappings"]

    cloud("lambda", "update_event_source_mapping", UUID=mapping["UUID"], Enabled=False)

    def stopped() -> bool:
        before = len(cloud.log(group, "got poison-7"))
        time.sleep(2.5)
        return len(cloud.log(group, "got poison-7")) == before

    assert eventually(stopped)
    seen = len(cloud.log(group, "got poison-7"))
    cloud("lambda", "update_event_source_mapping", UUID=mapping["UUID"], Enabled=True)
    assert cloud.log(group, "got poison-7", count=seen + 1)
    cloud("lambda", "update_event_source_mapping", UUID=mapping["UUID"], Enabled=False)
