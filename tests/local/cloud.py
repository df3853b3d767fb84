"""A started emulator as tests use it: small makers of roles, functions, queues and state machines."""

from __future__ import annotations

import io
import itertools
import json
import os
import textwrap
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from local import corrections, functions
from local.aws import Aws, CallError

T = TypeVar("T")
_WITHIN_S: Final = 120
"""Ends a test that hangs, and says nothing about speed: a busy machine makes everything slow."""
_WAITS_FOR_A_FILE = """
import pathlib, time
def handle(event, context):
    print("began")
    while not pathlib.Path({path!r}).exists():
        time.sleep(0.05)
    print("ended")
"""
_numbers = itertools.count(1)


def left_out() -> tuple[str, ...]:
    """Names of corrections to leave out, from ORDERS_WITHOUT (comma separated, or all): their tests then fail."""
    names = os.environ.get("ORDERS_WITHOUT", "")
    return corrections.NAMES if names == "all" else tuple(filter(None, names.split(",")))


def unique(name: str) -> str:
    """A name that no other test has."""
    return f"{name}-{next(_numbers)}"


def eventually[T](look: Callable[[], T]) -> T:
    """What `look` finds, as soon as it finds anything. Fails if it finds nothing in time."""
    ends = time.monotonic() + _WITHIN_S
    while True:
        found = look()
        if found or time.monotonic() > ends:
            assert found, f"nothing came within {_WITHIN_S} s"
            return found
        time.sleep(0.05)


class Cloud(Aws):
    """The emulator's services, and what tests need of them."""

    def role(self, *statements: Mapping[str, Any], principal: str = "lambda.amazonaws.com") -> str:
        name = unique("role")
        trust = {"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sts:AssumeRole"}
        self("iam", "create_role", RoleName=name, AssumeRolePolicyDocument=_document([trust]))
        if statements:
            self("iam", "put_role_policy", RoleName=name, PolicyName="p", PolicyDocument=_document(statements))
        return f"arn:aws:iam::{self.account}:role/{name}"

    def function(self, source: str, *statements: Mapping[str, Any], **configuration: Any) -> str:
        """The ARN of alias `live` of a new function whose handler is `handle(event, context)`."""
        name = unique("function")
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("app.py", textwrap.dedent(source))
        self(
            "lambda",
            "create_function",
            FunctionName=name,
            Runtime=functions.RUNTIME,
            Handler="app.handle",
            Role=configuration.pop("Role", None) or self.role(*statements),
            Code={"ZipFile": functions.package(self.instance, buffer.getvalue(), [])},
            Publish=True,
            **({"Timeout": 5} | configuration),
        )
        made = self("lambda", "create_alias", FunctionName=name, Name="live", FunctionVersion="1")
        return made["AliasArn"]

    def invoke(self, arn: str, event: Any, *, kind: str = "RequestResponse") -> Any:
        answer = self("lambda", "invoke", FunctionName=arn, InvocationType=kind, Payload=json.dumps(event))
        body = answer["Payload"].read()
        return json.loads(body) if body else None

    def queue(self, *statements: Mapping[str, Any], fifo: bool = False, **attributes: str) -> tuple[str, str]:
        """URL and ARN of a new queue."""
        name = unique("queue") + (".fifo" if fifo else "")
        wanted = attributes | ({"FifoQueue": "true", "ContentBasedDeduplication": "true"} if fifo else {})
        arn = self.arn("sqs", name)
        if statements:
            wanted["Policy"] = _document([{**statement, "Resource": arn} for statement in statements])
        url: str = self("sqs", "create_queue", QueueName=name, Attributes=wanted)["QueueUrl"]
        return url, arn

    def messages(self, url: str, count: int = 1) -> list[dict[str, Any]]:
        """The next messages of a queue, at least `count`; they are taken out of it."""
        found: list[dict[str, Any]] = []

        def look() -> bool:
            got = self(
                "sqs",
                "receive_message",
                QueueUrl=url,
                MaxNumberOfMessages=10,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["All"],
            ).get("Messages", [])
            for message in got:
                self("sqs", "delete_message", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found.extend(got)
            return len(found) >= count

        eventually(look)
        return found

    def quiet(self, url: str, for_s: float = 1.0) -> bool:
        """Whether nothing comes into a queue for a while."""
        time.sleep(for_s)
        return "Messages" not in self("sqs", "receive_message", QueueUrl=url)

    def bus(self) -> str:
        name = unique("bus")
        self("events", "create_event_bus", Name=name)
        return name

    def rule(self, bus: str) -> str:
        """The ARN of a rule for everything of source `test`."""
        name = unique("rule")
        pattern = json.dumps({"source": ["test"]})
        arn: str = self("events", "put_rule", Name=name, EventBusName=bus, EventPattern=pattern)["RuleArn"]
        return arn

    def target(self, rule: str, arn: str, **more: Any) -> None:
        """Let a rule deliver to `arn`."""
        bus, name = rule.split("/")[1:]
        self("events", "put_targets", Rule=name, EventBusName=bus, Targets=[{"Id": "0", "Arn": arn, **more}])

    def put(self, bus: str, detail: Any) -> None:
        entry = {"EventBusName": bus, "Source": "test", "DetailType": "Happened", "Detail": json.dumps(detail)}
        self("events", "put_events", Entries=[entry])

    def machine(
        self, states: Mapping[str, Any], *statements: Mapping[str, Any], express: bool = False, **fields: Any
    ) -> str:
        """The ARN of a state machine in JSONata that starts at the first of its states."""
        logging = fields.pop("logging", None)
        definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **fields}
        made = self(
            "stepfunctions",
            "create_state_machine",
            name=unique("machine"),
            definition=json.dumps(definition),
            roleArn=self.role(*statements, principal="states.amazonaws.com"),
            type="EXPRESS" if express else "STANDARD",
            loggingConfiguration=logging,
        )
        return made["stateMachineArn"]

    def run(self, machine: str, given: Any = None) -> dict[str, Any]:
        """An execution of `machine` after its end."""
        arn = self("stepfunctions", "start_execution", stateMachineArn=machine, input=json.dumps(given or {}))
        return self.ended(arn["executionArn"])

    def ended(self, execution: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            found = self("stepfunctions", "describe_execution", executionArn=execution)
            return found if found["status"] != "RUNNING" else None

        return eventually(look) or {}

    def steps(self, execution: str) -> list[str]:
        """The states that an execution entered, in order."""
        history = self("stepfunctions", "get_execution_history", executionArn=execution, maxResults=1000)
        return [event["stateEnteredEventDetails"]["name"] for event in history["events"] if "Entered" in event["type"]]

    def log(self, group: str, part: str = "", count: int = 1) -> list[str]:
        """The lines of a log group that hold `part`, as soon as there are `count`."""

        def look() -> list[str]:
            try:
                events = self("logs", "filter_log_events", logGroupName=group)["events"]
            except CallError as error:
                if error.gone:
                    return []
                raise
            lines = [event["message"] for event in events if part in event["message"]]
            return lines if len(lines) >= count else []

        return eventually(look)


@dataclass(frozen=True)
class Gate:
    """A function that runs until the gate is opened."""

    cloud: Cloud
    file: Path
    function: str
    """ARN."""

    @classmethod
    def closed(cls, cloud: Cloud, directory: Path, *statements: Mapping[str, Any]) -> Gate:
        """A gate that stays closed, for as long as a function may run; its role may do what `statements` say."""
        file = directory / "open"
        return cls(cloud, file, cloud.function(_WAITS_FOR_A_FILE.format(path=str(file)), *statements, Timeout=900))

    @property
    def task(self) -> dict[str, Any]:
        """A state that calls the function."""
        return {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": self.function},
        }

    def open(self) -> None:
        """Let the function end, and wait for it."""
        self.file.touch()
        self.cloud.log(log_group(self.function), "ended")


def log_group(function: str) -> str:
    """The log group of a function, by the ARN of its alias."""
    return f"/aws/lambda/{function.split(':')[6]}"


def allow(*actions: str, on: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on, **more}


def let(service: str, action: str, source: str) -> dict[str, Any]:
    """A statement of a resource policy that lets a service act for one source."""
    return {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": action,
        "Condition": {"ArnEquals": {"aws:SourceArn": source}},
    }


def _document(statements: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
