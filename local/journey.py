"""Follows one order through the platform with AWS's own APIs, and records when each step happened."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cli.signals import on_signal
from contracts.orders import EVENT_SOURCE
from local import loopback
from local.aws import Aws, CallError
from local.instance import Instance

_WATCH: Final = "orders-local-watch"
_ANSWER_LIMIT_S: Final = 60


@dataclass(frozen=True, order=True)
class Step:
    """One step in the processing of the order."""

    at: float
    """Unix time in seconds."""
    number: int
    """Sort key for steps of the same millisecond."""
    where: str
    """Part of the platform in which the step happened."""
    what: str


class Journey:
    """Follows one order, and collects its steps."""

    def __init__(self, aws: Aws, ops: Mapping[str, Any], watched: str) -> None:
        self._aws, self._ops, self._watched = aws, ops, watched
        self.order_id = ""
        self.steps: list[Step] = []
        self.arrived: set[str] = set()
        """The kinds of the steps found so far, for example the keys of `EXPECTED` in order.py."""

    @property
    def instance(self) -> Instance:
        """The instance on which the order was placed."""
        return self._aws.instance

    def look(self) -> bool:
        """Look for new steps in all services once, and return whether this call found any."""
        before = len(self.steps)
        for step, kind in (*self._messages(), *self._states(), *self._mails(), *self._objects()):
            if step not in self.steps:
                self.steps.append(step)
                self.arrived.add(kind)
        return len(self.steps) > before

    def _messages(self) -> Iterator[tuple[Step, str]]:
        """Yield the events and notifications of this order from the temporary queue, which `watch` creates."""
        received = self._aws(
            "sqs",
            "receive_message",
            QueueUrl=self._watched,
            MaxNumberOfMessages=10,
            MessageSystemAttributeNames=["SentTimestamp"],
        )
        for message in received.get("Messages", []):
            self._aws("sqs", "delete_message", QueueUrl=self._watched, ReceiptHandle=message["ReceiptHandle"])
            at = int(message["Attributes"]["SentTimestamp"]) / 1000
            body = json.loads(message["Body"])
            if "detail-type" in body:
                if body["detail"]["order"]["order_id"] == self.order_id:
                    yield Step(at, 0, "event bus", body["detail-type"]), body["detail-type"]
            else:
                notification = json.loads(body["Message"])
                if notification["order_id"] == self.order_id:
                    yield Step(at, 0, "topic", notification["status"]), "notification"

    def _states(self) -> Iterator[tuple[Step, str]]:
        """Yield the steps of the order's workflow executions."""
        machine: str = self._ops["stateMachines"]["standard"]
        execution = f"{machine.replace(':stateMachine:', ':execution:')}:{self.order_id}"
        try:
            history = self._aws("stepfunctions", "get_execution_history", executionArn=execution, maxResults=1000)
        except CallError as error:
            if error.gone:
                return
            raise
        for event in history["events"]:
            at = event["timestamp"].timestamp()
            if event["type"].startswith("Execution") and event["type"] != "ExecutionStarted":
                result = event["type"].removeprefix("Execution").upper()
                # The end of the execution gets the number 1000, so that it comes after all other steps of the same
                # millisecond.
                yield Step(at, 1000, "standard", result), f"execution {result}"
        yield from self._logged_states()

    def _logged_states(self) -> Iterator[tuple[Step, str]]:
        """Yield the states that the order's STANDARD and EXPRESS executions entered, as their logs say.

        The Step Functions API cannot return all of them, because Step Functions stores no history of an EXPRESS
        execution.
        """
        for kind in ("standard", "express"):
            group = self._ops["logGroups"][kind]
            found = self._aws("logs", "filter_log_events", logGroupName=group, filterPattern=f'"{self.order_id}"')
            for event in [json.loads(each["message"]) for each in found.get("events", [])]:
                if event["type"].endswith("StateEntered") and event["execution_arn"].endswith(f":{self.order_id}"):
                    at, name = int(event["event_timestamp"]) / 1000, event["details"]["name"]
                    yield Step(at, int(event["id"]), kind, name), f"state {name}"

    def _mails(self) -> Iterator[tuple[Step, str]]:
        """Yield the emails about this order. The emulator stores the emails that SES would send."""
        url = f"{self._aws.instance.url}/_ministack/ses/messages"
        kept = json.loads(loopback.get(url, limit_s=_ANSWER_LIMIT_S))
        mails: list[dict[str, Any]] = kept["messages"].get(self._aws.account, [])
        for mail in mails:
            if self.order_id in mail["BodyText"]:
                text = f"“{mail['Subject']}” to {', '.join(mail['To'])}"
                yield Step(float(mail["Timestamp"]), 0, "mail", text), f"mail {mail['Subject']}"

    def _objects(self) -> Iterator[tuple[Step, str]]:
        """Yield the analytics records of this order."""
        prefix = f"orders/dt={datetime.now(UTC):%Y-%m-%d}/{self.order_id}"
        bucket = self._ops["analyticsBucket"]
        for found in self._aws("s3", "list_objects_v2", Bucket=bucket, Prefix=prefix).get("Contents", []):
            kind = found["Key"].rpartition("_")[2].removesuffix(".json")
            at = found["LastModified"].timestamp()
            yield Step(at, 0, "analytics", f"s3://…/{found['Key']}"), f"record {kind}"


@contextmanager
def watch(aws: Aws, ops: Mapping[str, Any]) -> Generator[Journey]:
    """Yield a Journey. Until the `with` block ends, a temporary queue receives copies of events and notifications."""
    name, bus, topic = _WATCH, ops["eventBus"]["name"], ops["topics"]["notifications"]
    arn = aws.arn("sqs", name)
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    pattern = json.dumps({"source": [EVENT_SOURCE]})
    with ExitStack() as undo, on_signal(undo.close):
        url: str = aws("sqs", "create_queue", QueueName=name, Attributes={"Policy": policy})["QueueUrl"]
        undo.callback(aws, "sqs", "delete_queue", QueueUrl=url)
        subscribed = aws("sns", "subscribe", TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)
        undo.callback(aws, "sns", "unsubscribe", SubscriptionArn=subscribed["SubscriptionArn"])
        aws("events", "put_rule", Name=name, EventBusName=bus, EventPattern=pattern)
        undo.callback(aws, "events", "delete_rule", Name=name, EventBusName=bus)
        aws("events", "put_targets", Rule=name, EventBusName=bus, Targets=[{"Id": "watch", "Arn": arn}])
        undo.callback(aws, "events", "remove_targets", Rule=name, EventBusName=bus, Ids=["watch"])
        yield Journey(aws, ops, url)
