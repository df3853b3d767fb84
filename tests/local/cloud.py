"""Helpers for tests that call a running emulator, for example to create roles, functions, queues and state machines."""

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

import emulator_fixes
from local import functions
from local.aws import Aws, CallError

T = TypeVar("T")
_WITHIN_S: Final = 120
"""Time limit in seconds that ends a hanging test. It is long, because a busy machine makes everything slow."""
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
    """Return the names of the corrections that the emulator must not apply.

    A correction replaces functions of the emulator that behave differently from AWS. The environment variable
    ORDERS_WITHOUT contains names of corrections, separated by commas, or `all`. If a correction is left out, its tests
    must fail. If they pass, the correction is no longer needed.
    """
    names = os.environ.get("ORDERS_WITHOUT", "")
    return emulator_fixes.NAMES if names == "all" else tuple(filter(None, names.split(",")))


def unique(name: str) -> str:
    """Return a name that no other test uses."""
    return f"{name}-{next(_numbers)}"


def eventually[T](look: Callable[[], T]) -> T:
    """Call `look` until it returns a true value, and return this value. Raises AssertionError after a time limit."""
    ends = time.monotonic() + _WITHIN_S
    while True:
        found = look()
        if found or time.monotonic() > ends:
            assert found, f"no result within {_WITHIN_S} s"
            return found
        time.sleep(0.05)


class Cloud(Aws):
    """Calls the services of the emulator. Each method makes several calls that tests often need together."""

    def role(self, *statements: Mapping[str, Any], principal: str = "lambda.amazonaws.com") -> str:
        name = unique("role")
        trust = {"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sts:AssumeRole"}
        self("iam", "create_role", RoleName=name, AssumeRolePolicyDocument=_document([trust]))
        if statements:
            self("iam", "put_role_policy", RoleName=name, PolicyName="p", PolicyDocument=_document(statements))
        return f"arn:aws:iam::{self.account}:role/{name}"

    def function(self, source: str, *statements: Mapping[str, Any], **configuration: Any) -> str:
        """Create a Lambda function from `source`, which defines the handler `handle(event, context)`.

        Return the ARN of the function's alias `live`. The policy of the function's role consists of `statements`.
        """
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
        """Create a queue with `statements` as its policy, and return its URL and ARN."""
        name = unique("queue") + (".fifo" if fifo else "")
        wanted = attributes | ({"FifoQueue": "true", "ContentBasedDeduplication": "true"} if fifo else {})
        arn = self.arn("sqs", name)
        if statements:
            wanted["Policy"] = _document([{**statement, "Resource": arn} for statement in statements])
        url: str = self("sqs", "create_queue", QueueName=name, Attributes=wanted)["QueueUrl"]
        return url, arn

    def messages(self, url: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until the queue has delivered at least `count` messages. Delete these messages, and return them."""
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
        """Return whether the queue is still empty after `for_s` seconds."""
        time.sleep(for_s)
        return "Messages" not in self("sqs", "receive_message", QueueUrl=url)

    def bus(self) -> str:
        name = unique("bus")
        self("events", "create_event_bus", Name=name)
        return name

    def rule(self, bus: str) -> str:
        """Create a rule on `bus` for all events of the source `test`, and return the ARN of the rule."""
        name = unique("rule")
        pattern = json.dumps({"source": ["test"]})
        arn: str = self("events", "put_rule", Name=name, EventBusName=bus, EventPattern=pattern)["RuleArn"]
        return arn

    def target(self, rule: str, arn: str, **more: Any) -> None:
        """Make the queue or function with the ARN `arn` the target of the rule with the ARN `rule`."""
        bus, name = rule.split("/")[1:]
        self("events", "put_targets", Rule=name, EventBusName=bus, Targets=[{"Id": "0", "Arn": arn, **more}])

    def put(self, bus: str, detail: Any) -> None:
        entry = {"EventBusName": bus, "Source": "test", "DetailType": "Happened", "Detail": json.dumps(detail)}
        self("events", "put_events", Entries=[entry])

    def machine(
        self, states: Mapping[str, Any], *statements: Mapping[str, Any], express: bool = False, **fields: Any
    ) -> str:
        """Create a JSONata state machine that starts at the first of `states`, and return its ARN."""
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
        """Run `machine` with the input `given`, wait until the execution has ended, and return the execution."""
        arn = self("stepfunctions", "start_execution", stateMachineArn=machine, input=json.dumps(given or {}))
        return self.ended(arn["executionArn"])

    def ended(self, execution: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            found = self("stepfunctions", "describe_execution", executionArn=execution)
            return found if found["status"] != "RUNNING" else None

        return eventually(look) or {}

    def steps(self, execution: str) -> list[str]:
        """Return the names of the states that an execution entered, in the sequence of entry."""
        history = self("stepfunctions", "get_execution_history", executionArn=execution, maxResults=1000)
        return [event["stateEnteredEventDetails"]["name"] for event in history["events"] if "Entered" in event["type"]]

    def log(self, group: str, part: str = "", count: int = 1) -> list[str]:
        """Wait until `count` lines of the log group `group` contain `part`, and return these lines."""

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
    """A Lambda function whose invocations run until a test calls `open`."""

    cloud: Cloud
    file: Path
    function: str
    """ARN of the function's alias."""

    @classmethod
    def closed(cls, cloud: Cloud, directory: Path, *statements: Mapping[str, Any]) -> Gate:
        """Create the function. Its invocations wait until a test calls `open`.

        The policy of the function's role consists of `statements`.
        """
        file = directory / "open"
        return cls(cloud, file, cloud.function(_WAITS_FOR_A_FILE.format(path=str(file)), *statements, Timeout=900))

    @property
    def task(self) -> dict[str, Any]:
        """A Task state that invokes the function."""
        return {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": self.function},
        }

    def open(self) -> None:
        """Let the running invocations end, and wait until one of them has ended."""
        self.file.touch()
        self.cloud.log(log_group(self.function), "ended")


def log_group(function: str) -> str:
    """Return the name of a function's log group from the ARN of its alias."""
    return f"/aws/lambda/{function.split(':')[6]}"


def allow(*actions: str, on: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on, **more}


def let(service: str, action: str, source: str) -> dict[str, Any]:
    """Return a policy statement that allows `service` to perform `action` if `aws:SourceArn` is the ARN `source`."""
    return {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": action,
        "Condition": {"ArnEquals": {"aws:SourceArn": source}},
    }


def _document(statements: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
