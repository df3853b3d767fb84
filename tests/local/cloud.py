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
from typing import Any, TypeVar

from local import corrections, functions
from local.aws import Aws, CallError

T = TypeVar("T")
_numbers = itertools.count(1)


def left_out() -> tuple[str, ...]:
    """Names of corrections to leave out, from ORDERS_WITHOUT (comma separated, or all): their tests then fail."""
    names = os.environ.get("ORDERS_WITHOUT", "")
    return corrections.NAMES if names == "all" else tuple(filter(None, names.split(",")))


def unique(name: str) -> str:
    """A name that no other test has."""
    return f"{name}-{next(_numbers)}"


def eventually[T](look: Callable[[], T], within: float = 6.0) -> T:
    """What `look` finds, as soon as it finds anything. Fails if it finds nothing in time."""
    ends = time.monotonic() + within
    while True:
        found = look()
        if found or time.monotonic() > ends:
            assert found, f"nothing came within {within} s"
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

    def messages(self, url: str, count: int = 1, within: float = 6.0) -> list[dict[str, Any]]:
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

        eventually(look, within)
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

    def run(self, machine: str, given: Any = None, within: float = 8.0) -> dict[str, Any]:
        """An execution of `machine` after its end."""
        arn = self("stepfunctions", "start_execution", stateMachineArn=machine, input=json.dumps(given or {}))
        return self.ended(arn["executionArn"], within)

    def ended(self, execution: str, within: float = 8.0) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            found = self("stepfunctions", "describe_execution", executionArn=execution)
            return found if found["status"] != "RUNNING" else None

        return eventually(look, within) or {}

    def steps(self, execution: str) -> list[str]:
        """The states that an execution entered, in order."""
        history = self("stepfunctions", "get_execution_history", executionArn=execution, maxResults=1000)
        return [event["stateEnteredEventDetails"]["name"] for event in history["events"] if "Entered" in event["type"]]

    def log(self, group: str, part: str = "", count: int = 1, within: float = 4.0) -> list[str]:
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

        return eventually(look, within)


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
