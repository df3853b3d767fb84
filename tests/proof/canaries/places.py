"""Every place where the platform stores or shows data, with a way to read it and a way to write a test word there."""

from __future__ import annotations

import json
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from tests.journeys.stack import Stack
from tests.journeys.traces import Traces
from tests.proof.canaries.canaries import text_of

_PLANTED: Final = "planted"


@dataclass(frozen=True)
class Place:
    """A place that can contain data of users. Each place has one line in the table of docs/data.md."""

    name: str
    read: Callable[[], Iterator[str]]
    plant: Callable[[str], None]
    """Writes a word to this place, in the same way as the platform writes its data there."""


@dataclass
class Places:
    """All places of a stack. Its methods read only data that was written after this object was created."""

    stack: Stack
    traces: Traces
    bus_queue: str
    """URL of a queue that receives every event on the bus."""
    topic_queues: dict[str, str]
    """{name of a topic in `ops.topics`: URL of a queue that receives all messages of the topic}"""
    refusals: list[str]
    """Responses of the APIs with status 400 or above."""
    outputs: dict[str, str] = field(default_factory=dict[str, str])
    """The output of make commands, by command."""
    since_ms: int = field(default_factory=lambda: int(time.time() * 1000))
    undo: list[Callable[[], Any]] = field(default_factory=list[Callable[[], Any]])

    def __post_init__(self) -> None:
        self._log_bytes = self.stack.instance.log.stat().st_size

    @cached_property
    def all(self) -> list[Place]:
        """Return all places, in the sequence of the table in docs/data.md."""
        return [
            *self._tables(),
            Place("stream of orders", self._stream, self._plant_order),
            Place("events on the bus", self._events, self._plant_event),
            Place("archive", self._replayed, self._plant_event),
            *self._topics(),
            *self._queues(),
            Place("analytics bucket", self._objects, self._plant_object),
            Place("mails", self._mails, self._plant_mail),
            Place("user pool", self._accounts, self._plant_account),
            *self._logs(),
            Place("metrics", self._metrics, self._plant_metric),
            Place("traces", self._segments, self._plant_segment),
            Place("STANDARD executions", self._executions, self._plant_execution),
            Place("configuration", self._configuration, self._plant_alarm),
            Place("error responses", lambda: iter(self.refusals), self.refusals.append),
            *self._local(),
        ]

    def _aws(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.stack.aws(service, operation, **parameters)

    def _tables(self) -> Iterator[Place]:
        keys = {"users": "user_id", "orders": "order_id", "inventory": "product_id", "idempotency": "id"}
        for role, table in self.stack.ops["tables"].items():

            def read(table: str = table) -> Iterator[str]:
                for page in self.stack.aws.client("dynamodb").get_paginator("scan").paginate(TableName=table):
                    yield from (text_of(item) for item in page["Items"])

            def plant(word: str, table: str = table, key: str = keys[role]) -> None:
                self._aws("dynamodb", "put_item", TableName=table, Item={key: {"S": word}})
                self.undo.append(lambda: self._aws("dynamodb", "delete_item", TableName=table, Key={key: {"S": word}}))

            yield Place(f"table {role}", read, plant if role != "orders" else self._plant_order)

    def _plant_order(self, word: str) -> None:
        """Add an attribute that contains the word to a row of the orders table.

        The row's status stays the same, so no event is published.
        """
        table = self.stack.ops["tables"]["orders"]
        row = self._aws("dynamodb", "scan", TableName=table, Limit=1)["Items"][0]
        named = {"TableName": table, "Key": {"order_id": row["order_id"]}}
        # Each planted word is the name and the value of an attribute of its own. The attack plants two words in this
        # row: it must find the first one in the table, and the second one in the table's stream. With a common
        # attribute, the second word would overwrite the first one.
        self._aws(
            "dynamodb",
            "update_item",
            **named,
            UpdateExpression=f"SET {word} = :word",
            ExpressionAttributeValues={":word": {"S": word}},
        )
        self.undo.append(lambda: self._aws("dynamodb", "update_item", **named, UpdateExpression=f"REMOVE {word}"))

    def _stream(self) -> Iterator[str]:
        table = self.stack.ops["tables"]["orders"]
        stream = self._aws("dynamodbstreams", "list_streams", TableName=table)["Streams"][0]["StreamArn"]
        for shard in self._aws("dynamodbstreams", "describe_stream", StreamArn=stream)["StreamDescription"]["Shards"]:
            start = {"StreamArn": stream, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
            iterator = self._aws("dynamodbstreams", "get_shard_iterator", **start)["ShardIterator"]
            while iterator:
                page = self._aws("dynamodbstreams", "get_records", ShardIterator=iterator)
                if not page["Records"]:
                    break
                yield from (text_of(record) for record in page["Records"])
                iterator = page.get("NextShardIterator")

    def _bus(self) -> Iterator[dict[str, Any]]:
        for each in self.stack.queued(self.bus_queue):
            yield json.loads(each["Body"])

    def _events(self) -> Iterator[str]:
        yield from (text_of(event) for event in self._bus() if "replay-name" not in event)

    def _replayed(self) -> Iterator[str]:
        """Yield the events that the archive replayed."""
        yield from (text_of(event) for event in self._bus() if "replay-name" in event)

    def replay(self, *, until_s: float) -> None:
        """Replay the archived events from the start of the attack until `until_s` (seconds since 1970)."""
        bus = self.stack.ops["eventBus"]
        self._aws(
            "events",
            "start_replay",
            ReplayName=f"canaries-{uuid.uuid4().hex[:8]}",
            EventSourceArn=self._aws("events", "describe_archive", ArchiveName=bus["archive"])["ArchiveArn"],
            EventStartTime=self.since_ms / 1000 - 1,
            EventEndTime=until_s,
            Destination={"Arn": bus["arn"]},
        )

    def _plant_event(self, word: str) -> None:
        """Put an event on the bus. The event matches no rule of the platform."""
        detail = json.dumps({_PLANTED: word})
        bus = self.stack.ops["eventBus"]["name"]
        entry = {"EventBusName": bus, "Source": _PLANTED, "DetailType": _PLANTED, "Detail": detail}
        assert not self._aws("events", "put_events", Entries=[entry])["FailedEntryCount"]

    def _topics(self) -> Iterator[Place]:
        for role, url in self.topic_queues.items():

            def read(url: str = url) -> Iterator[str]:
                yield from (text_of(each) for each in self.stack.queued(url))

            def plant(word: str, topic: str = self.stack.ops["topics"][role]) -> None:
                self._aws("sns", "publish", TopicArn=topic, Message=json.dumps({_PLANTED: word}))

            yield Place(f"topic {role}", read, plant)

    def _queues(self) -> Iterator[Place]:
        named = {
            "delivery": "undelivered events",
            "invocation": "envelopes of failed invocations",
            "dead-letter": "dead letters",
            "stream": "invalid stream records",
            "queue": "queues of emails and analytics, and their failure queues",
        }
        queues = self.stack.ops["failureQueues"]
        mappings = self._aws("lambda", "list_event_source_mappings")["EventSourceMappings"]
        consumed = {each["EventSourceArn"].rpartition(":")[2] for each in mappings}
        for kind, name in named.items():
            urls = [each["url"] for each in queues.values() if each["kind"] == kind]
            if kind == "queue":
                urls += [each["redriveTo"] for each in queues.values() if each["kind"] == kind]

            def read(urls: list[str] = urls) -> Iterator[str]:
                yield from (text_of(each) for url in urls for each in self.stack.queued(url))

            # Write the word to a queue without a consumer. From a queue with a consumer, Lambda would receive the word
            # before the search reads the queue.
            kept = [url for url in urls if url.rpartition("/")[2] not in consumed]

            def plant(word: str, url: str = kept[0]) -> None:
                body = json.dumps({"detail": {"event_id": word}})
                fifo = {"MessageGroupId": _PLANTED, "MessageDeduplicationId": word} if url.endswith(".fifo") else {}
                self._aws("sqs", "send_message", QueueUrl=url, MessageBody=body, **fifo)

            yield Place(name, read, plant)

    def _objects(self) -> Iterator[str]:
        bucket = self.stack.ops["analyticsBucket"]
        for page in self.stack.aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for each in page.get("Contents", []):
                if each["LastModified"].timestamp() * 1000 >= self.since_ms - 1000:
                    found = self._aws("s3", "get_object", Bucket=bucket, Key=each["Key"])
                    yield each["Key"] + found["Body"].read().decode() + text_of(found["Metadata"])

    def _plant_object(self, word: str) -> None:
        named = {"Bucket": self.stack.ops["analyticsBucket"], "Key": f"{_PLANTED}/{uuid.uuid4()}.json"}
        self._aws("s3", "put_object", **named, Body=word.encode())
        self.undo.append(lambda: self._aws("s3", "delete_object", **named))

    def _mails(self) -> Iterator[str]:
        yield from (text_of(mail) for mail in self.stack.sent())

    def _plant_mail(self, word: str) -> None:
        sender = self._aws("sesv2", "list_email_identities")["EmailIdentities"][0]["IdentityName"]
        text = {"Data": word, "Charset": "UTF-8"}
        self._aws(
            "sesv2",
            "send_email",
            FromEmailAddress=sender,
            Destination={"ToAddresses": [f"{word}@example.com"]},
            Content={"Simple": {"Subject": text, "Body": {"Text": text}}},
        )

    def _accounts(self) -> Iterator[str]:
        pool = self.stack.frontend["auth"]["userPoolId"]
        for page in self.stack.aws.client("cognito-idp").get_paginator("list_users").paginate(UserPoolId=pool):
            yield from (text_of(user) for user in page["Users"])

    def _plant_account(self, word: str) -> None:
        named = {"UserPoolId": self.stack.frontend["auth"]["userPoolId"], "Username": f"{word}@example.com"}
        self._aws("cognito-idp", "admin_create_user", **named, MessageAction="SUPPRESS")
        self.undo.append(lambda: self._aws("cognito-idp", "admin_delete_user", **named))

    def log_groups(self) -> dict[str, str]:
        """Return {name in the table of docs/data.md: log group} for all log groups."""
        groups = {f"log of {name}": group for name, group in self.stack.ops["logGroups"].items()}
        known = set(groups.values())
        for each in self._aws("logs", "describe_log_groups")["logGroups"]:
            if each["logGroupName"] not in known:
                name = "execution log of the REST API" if "Execution" in each["logGroupName"] else each["logGroupName"]
                groups[name] = each["logGroupName"]
        return groups

    def log_lines(self, group: str) -> Iterator[str]:
        """Yield the log lines of a group since the start of the attack, without blank lines."""
        asked = {"logGroupName": group, "startTime": self.since_ms - 1000}
        for page in self.stack.aws.client("logs").get_paginator("filter_log_events").paginate(**asked):
            yield from (each["message"] for each in page["events"] if each["message"].strip())

    def _logs(self) -> Iterator[Place]:
        for name, group in self.log_groups().items():

            def read(group: str = group) -> Iterator[str]:
                yield from (line for line in self.log_lines(group) if not is_metric(line))

            def plant(word: str, group: str = group) -> None:
                self._write_line(group, json.dumps({"message": word}))

            yield Place(name, read, plant)

    def _write_line(self, group: str, line: str) -> None:
        named = {"logGroupName": group, "logStreamName": f"{_PLANTED}-{uuid.uuid4()}"}
        self._aws("logs", "create_log_stream", **named)
        event = {"timestamp": int(time.time() * 1000), "message": line}
        self._aws("logs", "put_log_events", **named, logEvents=[event])

    def _metrics(self) -> Iterator[str]:
        """Yield log lines in the embedded metric format, and the names and dimensions of all metrics in CloudWatch."""
        for group in self.stack.ops["logGroups"].values():
            yield from (line for line in self.log_lines(group) if is_metric(line))
        for page in self.stack.aws.client("cloudwatch").get_paginator("list_metrics").paginate():
            yield text_of(page["Metrics"])

    def _plant_metric(self, word: str) -> None:
        self._write_line(self.stack.ops["logGroups"]["users_api"], json.dumps({"_aws": {}, "dimension": word}))

    def _segments(self) -> Iterator[str]:
        yield from (text_of(segment) for segment in self.traces.found)

    def _plant_segment(self, word: str) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
            segment = json.dumps({"name": _PLANTED, "annotations": {_PLANTED: word}})
            host, port = self.traces.address.split(":")
            made.sendto(f'{{"format": "json", "version": 1}}\n{segment}'.encode(), (host, int(port)))

    def _executions(self) -> Iterator[str]:
        machine = self.stack.ops["stateMachines"]["standard"]
        pages = (
            self.stack.aws.client("stepfunctions").get_paginator("list_executions").paginate(stateMachineArn=machine)
        )
        for each in (each for page in pages for each in page["executions"]):
            if each["startDate"].timestamp() * 1000 >= self.since_ms - 1000:
                named = {"executionArn": each["executionArn"]}
                yield text_of(self._aws("stepfunctions", "describe_execution", **named))
                history = self._aws("stepfunctions", "get_execution_history", **named, maxResults=1000)
                yield text_of(history["events"])

    def _plant_execution(self, word: str) -> None:
        machine = self.stack.ops["stateMachines"]["standard"]
        planted = json.dumps({_PLANTED: word})
        arn = self._aws("stepfunctions", "start_execution", stateMachineArn=machine, input=planted)["executionArn"]
        # Stop the execution at the end of the attack. Its input is not an order, so the execution would retry until its
        # time limit.
        self.undo.append(lambda: self._aws("stepfunctions", "stop_execution", executionArn=arn))

    def _configuration(self) -> Iterator[str]:
        """Yield the configuration of functions, workflows, alarms and dashboards, which every operator can read."""
        for alias in self.stack.ops["functions"].values():
            yield text_of(self._aws("lambda", "get_function_configuration", FunctionName=alias))
        for machine in self.stack.ops["stateMachines"].values():
            yield text_of(self._aws("stepfunctions", "describe_state_machine", stateMachineArn=machine))
        yield text_of(self._aws("cloudwatch", "describe_alarms", MaxRecords=100))
        for each in self._aws("cloudwatch", "list_dashboards")["DashboardEntries"]:
            yield text_of(self._aws("cloudwatch", "get_dashboard", DashboardName=each["DashboardName"]))

    def _plant_alarm(self, word: str) -> None:
        self._aws(
            "cloudwatch",
            "put_metric_alarm",
            AlarmName=_PLANTED,
            AlarmDescription=word,
            Namespace=_PLANTED,
            MetricName=_PLANTED,
            ComparisonOperator="GreaterThanThreshold",
            Threshold=1,
            Period=60,
            EvaluationPeriods=1,
            Statistic="Sum",
        )
        self.undo.append(lambda: self._aws("cloudwatch", "delete_alarms", AlarmNames=[_PLANTED]))

    def _local(self) -> Iterator[Place]:
        """Yield the places on the machine that runs the emulator or a make command."""
        home, planted = self.stack.instance.home, f"{_PLANTED}.json"

        def files() -> Iterator[str]:
            yield from (path.read_text(encoding="utf-8") for path in home.glob("*.json"))

        def plant_file(word: str) -> None:
            (home / planted).write_text(json.dumps(word), encoding="utf-8")
            self.undo.append((home / planted).unlink)

        def emulator() -> Iterator[str]:
            with self.stack.instance.log.open("rb") as log:
                log.seek(self._log_bytes)
                yield log.read().decode(errors="replace")

        # The emulator logs the recipient of each email. To plant the word in this log, send an email to an address that
        # contains the word.
        yield Place("emulator's log", emulator, self._plant_mail)
        yield Place("outputs.json and state.json", files, plant_file)
        for command in ("make redrive", "make order"):

            def said(command: str = command) -> Iterator[str]:
                yield self.outputs.get(command, "")

            def say(word: str, command: str = command) -> None:
                self.outputs[command] = f"{self.outputs.get(command, '')}\n{word}"

            yield Place(f"output of {command}", said, say)


def is_metric(line: str) -> bool:
    """Return whether a log line is a metric in CloudWatch's embedded metric format."""
    return line.lstrip().startswith("{") and '"_aws"' in line
