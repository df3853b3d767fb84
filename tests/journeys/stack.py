"""A deployed stack on its own emulator, with methods that read the stack's tables, queues, logs and emails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest import mock

import requests

from local import emulator, owner, project
from local.aws import Aws
from local.instance import ROOT, Instance
from tests.local.cloud import left_out

_STARTED_WITHIN_S: Final = 600
"""Seconds after which a command that hangs is ended."""
ANSWERS_WITHIN_S: Final = 120
_RETRY_BASE_S: Final = "0.1"
"""Seconds before the first retry of a failed asynchronous invocation. On AWS, this pause is one minute."""
_TRANSACTION_MS: Final = "0"
"""Milliseconds that a transaction lasts. With 0, no write fails because it conflicts with a running transaction."""
DECISIONS: Final = "decisions.jsonl"
"""File in an instance's home with all IAM decisions. The module emulator_fixes.decision_log writes it."""


@dataclass(frozen=True)
class Stack:
    """The stack `local` after `make up`."""

    instance: Instance
    outputs: dict[str, Any]
    """Stack outputs, in the format of `.local/outputs.json`."""
    aws: Aws
    """Calls AWS services as the account's root user, for example `aws("sqs", "receive_message", ...)`."""

    @property
    def ops(self) -> dict[str, Any]:
        """The stack output `ops`."""
        return self.outputs["ops"]

    @property
    def frontend(self) -> dict[str, Any]:
        """The stack output `frontend`."""
        return self.outputs["frontend"]

    def row(self, table: str, **key: str) -> dict[str, Any] | None:
        """Return the row with the key `key` of `table` (`orders`, `users`, …) in DynamoDB's JSON format, or None."""
        typed = {name: {"S": value} for name, value in key.items()}
        name = self.ops["tables"][table]
        return self.aws("dynamodb", "get_item", TableName=name, Key=typed, ConsistentRead=True).get("Item")

    def stock(self, product_id: str) -> int:
        """Return the stock of a product."""
        row = self.row("inventory", product_id=product_id)
        assert row, f"{product_id} is not in the catalog"
        return int(row["quantity"]["N"])

    def queued(self, url: str) -> list[dict[str, Any]]:
        """Return the messages of the queue `url` (Body, MessageAttributes, ReceiveCount) without receiving them."""
        found = self._look("/_ministack/sqs/messages", QueueUrl=url)
        return [each for regions in found.values() for queues in regions.values() for each in queues.get(url, [])]

    def failed(self, queue: str, about: str) -> list[dict[str, Any]]:
        """Return the messages in the failure queue `queue` (a name in `ops.failureQueues`) that contain `about`."""
        return [each for each in self.queued(self.ops["failureQueues"][queue]["url"]) if about in each["Body"]]

    def mails(self, address: str) -> list[dict[str, Any]]:
        """Return the emails that SES accepted for `address`, with Source, To, Subject and BodyText."""
        return [mail for mail in self.sent() if address in mail["To"]]

    def handled_mails(self, order_id: str) -> int:
        """Return how many deliveries of the order's events send_email has handled.

        Only deliveries with the log line `email sent` or `email was already handled` count.
        """
        said = [record["message"] for record in self.records("send_email", order_id)]
        return said.count("email sent") + said.count("email was already handled")

    def sent(self) -> list[dict[str, Any]]:
        """Return all emails that SES accepted."""
        return [mail for mails in self._look("/_ministack/ses/messages").values() for mail in mails]

    def analytics(self, order_id: str) -> dict[str, Any]:
        """Return the analytics records of an order as {object key: content}."""
        bucket = self.ops["analyticsBucket"]
        pages = self.aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="orders/")
        keys = [each["Key"] for page in pages for each in page.get("Contents", []) if order_id in each["Key"]]
        return {key: json.loads(self.aws("s3", "get_object", Bucket=bucket, Key=key)["Body"].read()) for key in keys}

    def execution(self, order_id: str) -> dict[str, Any] | None:
        """Return the order's STANDARD execution in the format of DescribeExecution, or None if there is none."""
        arn = f"{self.ops['stateMachines']['standard'].replace(':stateMachine:', ':execution:')}:{order_id}"
        listed = self.aws("stepfunctions", "list_executions", stateMachineArn=self.ops["stateMachines"]["standard"])
        if all(each["name"] != order_id for each in listed["executions"]):
            return None
        described = self.aws("stepfunctions", "describe_execution", executionArn=arn)
        return {key: value for key, value in described.items() if key != "ResponseMetadata"}

    def states(self, order_id: str) -> list[str]:
        """Return the states that the order's STANDARD and EXPRESS executions entered, in the sequence of entry."""
        lines = [json.loads(each) for name in ("standard", "express") for each in self.log(name)]
        entered = [
            (int(line["event_timestamp"]), line["details"]["name"])
            for line in lines
            if line["execution_arn"].endswith(f":{order_id}") and line["type"].endswith("StateEntered")
        ]
        return [name for _, name in sorted(entered, key=lambda each: each[0])]

    def log(self, name: str) -> list[str]:
        """Return all lines of the log group `name` (a name in `ops.logGroups`)."""
        group, lines, token = self.ops["logGroups"][name], list[str](), None
        while True:
            page = self.aws("logs", "filter_log_events", logGroupName=group, nextToken=token)
            lines += [event["message"] for event in page["events"]]
            token = page.get("nextToken")
            if not token:
                return lines

    def records(self, name: str, order_id: str) -> list[dict[str, Any]]:
        """Return the JSON log lines of the function `name` that have the order's id as correlation id."""
        parsed = [_json(line) for line in self.log(name)]
        return [line for line in parsed if line.get("correlation_id") == order_id]

    def _look(self, path: str, **query: str) -> dict[str, Any]:
        """Read data that only the emulator offers, such as sent emails, from its internal path `path`."""
        answer = requests.get(f"{self.instance.url}{path}", params=query, timeout=ANSWERS_WITHIN_S)
        answer.raise_for_status()
        return answer.json()["messages"]


def local(command: str, instance: Instance, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m local COMMAND` for `instance`, as `make COMMAND` does.

    If the command starts an emulator, the emulator stops when this process ends.
    """
    arguments = ["--port", str(instance.port), "--home", str(instance.home), "--owned", *options]
    return subprocess.run(  # noqa: S603 - the command runs a module of this repository
        [sys.executable, "-m", "local", command, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        stdin=owner.this_process(),
        capture_output=True,
        text=True,
        check=False,
        timeout=_STARTED_WITHIN_S,
    )


def start(instance: Instance, **environment: str) -> Stack:
    """Start an emulator and deploy the stack to it, as `make up` does."""
    environment = {
        "LOCAL_ASYNC_RETRY_BASE_S": _RETRY_BASE_S,
        "LOCAL_DECISIONS": str(instance.home / DECISIONS),
        "LOCAL_TRANSACTION_MS": _TRANSACTION_MS,
        **environment,
    }
    if without := left_out():
        # Corrections make the emulator behave like AWS. To leave out the corrections in `without`, start the emulator
        # here. `make up` below finds the running emulator and uses it.
        with mock.patch.dict(os.environ, environment):
            region = project.load(ROOT).config["aws:region"]
            emulator.start(instance, region=region, without=without, owner=owner.this_process()).wait()
    done = local("up", instance, **environment)
    assert done.returncode == 0, f"`make up` failed:\n{done.stdout}\n{done.stderr}\n{emulator.tail(instance)}"
    outputs = json.loads(instance.outputs.read_text(encoding="utf-8"))
    return Stack(instance, outputs, Aws(instance, outputs["frontend"]["region"]))


def temporary(port: int, home: Path) -> Instance:
    """Return an instance that stores all its files in `home`."""
    return Instance(port=port, home=home.resolve())


def _json(line: str) -> dict[str, Any]:
    try:
        return json.loads(line)
    except ValueError:
        return {}
