"""Deploys the platform on an emulator with fault injection, and reads everything that the platform stores."""

from __future__ import annotations

import json
import shutil
import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from pathlib import Path
from typing import Any, Final

import requests
import yaml

from local import emulator, owner
from local.aws import Aws
from local.instance import ROOT
from local.instances import stopped_at_the_end
from local.patience import PATIENCE
from tests.journeys.breakages import queue_attributes, received_at_most
from tests.journeys.fixtures import everything_on_the_bus
from tests.journeys.rows import make_older
from tests.journeys.stack import ANSWERS_WITHIN_S, Stack, local, temporary
from tests.proof.aws_faults.plan import Plan
from tests.proof.aws_faults.proxy import FaultProxy

# Timeouts of the functions in seconds. The attack also tests functions that time out because every attempt of an AWS
# call is slow. Most timeouts are therefore shorter than the time that the SDK needs for all attempts.
_TIMEOUTS_S: Final = {
    **dict.fromkeys(("users_api", "orders_api", "catalog_api", "process_order", "fail_order"), 4),
    "publish_order_events": 5,
    "record_analytics": 5,
    "validate_order": 3,
    "update_inventory": 3,
    # This timeout is longer than the SDK needs for all attempts of a slow call. send_email must handle the error of
    # such a call instead of timing out.
    "send_email": 12,
    "mark_late_orders": 4,
    # The sweep stops its work five seconds before the timeout, so it can work for 15 seconds.
    "restart_late_orders": 20,
}
# Seconds that Lambda waits before the first retry of an event. Before the second retry, Lambda waits twice as long. An
# EXPRESS execution runs for at most 28 s, so it has always ended before the second retry. This is also true on AWS,
# where Lambda waits for one minute and then for two.
RETRY_BASE_S: Final = 14
# For each function that reads a queue: the visibility timeout of the queue in seconds. If the function ends without a
# response, SQS delivers the message again after this time.
_AGAIN_S: Final = {"record_analytics": 2, "send_email": _TIMEOUTS_S["send_email"]}
# For each function that reads a queue: the number of deliveries after which SQS moves a message to the failure queue.
# With the platform's usual number, this would take at least six hours. send_email needs more deliveries because of its
# claims (rows that prevent a second email). While an event has a claim, each further delivery of the event fails. If
# send_email can neither complete nor release a claim, the claim lasts until the function's timeout. Three or four
# deliveries can fail in this time.
_RECEIVED_AT_MOST: Final = {"record_analytics": 3, "send_email": 5}
# The attack gives undecided orders this age, so that the sweep restarts their workflow. The age is below the workflow's
# time limit, after which `fail_order` sets orders to FAILED.
_LATE: Final = timedelta(minutes=10)
_RELAY_RETRIES: Final = 2
_ID_LENGTH: Final = len(str(uuid.UUID(int=0)))
_FOLDERS: Final = ("components", "contracts", "functions", "workflows")
_PROGRAM: Final = ("Pulumi.yaml", ".python-version", *(path.name for path in ROOT.glob("*.py")), *_FOLDERS)


@dataclass(frozen=True)
class Seen:
    """A snapshot of everything that the platform stores about all orders."""

    rows: Mapping[str, Any]
    """Rows of the orders table by order id, in DynamoDB's JSON."""
    stock: Mapping[str, int]
    """Quantity in stock by product id."""
    events: Mapping[str, Counter[str]]
    """Number of events on the bus, by order id and status."""
    mails: Mapping[tuple[str, str], int]
    """Number of emails sent, by address and subject."""
    analytics: Mapping[str, list[str]]
    """Statuses of each order's analytics records, by order id."""
    failed: Mapping[str, list[str]]
    """Bodies of the messages in each failure queue, by the queue's name."""
    running: frozenset[str]
    """Ids of the orders with a running STANDARD execution."""
    stopped: frozenset[str] = frozenset()
    """Ids of the orders whose STANDARD execution was aborted or timed out, and which have no running execution."""


@dataclass(frozen=True)
class FaultyStack:
    """A deployed platform. The AWS calls of its functions and workflows fail as `plan` requires."""

    stack: Stack
    plan: Plan
    events_queue: str

    def look(self) -> Seen:
        """Return a snapshot of the platform's current state."""
        stack, tables = self.stack, self.stack.ops["tables"]
        queued, executions = self._queued(), self._executions()
        events: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for body in queued.get(self.events_queue, []):
            order_id, _, status = json.loads(body)["detail"]["event_id"].partition(":")
            events[order_id][status] += 1
        listed = stack.aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=stack.ops["analyticsBucket"])
        analytics: defaultdict[str, list[str]] = defaultdict(list)
        for key in [str(item["Key"]) for page in listed for item in page.get("Contents", [])]:
            order_id, _, status = key.rpartition("/")[2].removesuffix(".json").partition("_")
            analytics[order_id].append(status)
        return Seen(
            rows={row["order_id"]["S"]: row for row in self._scan(tables["orders"])},
            stock={row["product_id"]["S"]: int(row["quantity"]["N"]) for row in self._scan(tables["inventory"])},
            events=events,
            mails=Counter((to, mail["Subject"]) for mail in self._mails() for to in mail["To"]),
            analytics=analytics,
            failed={name: queued.get(queue["url"], []) for name, queue in self.stack.ops["failureQueues"].items()},
            running=frozenset(order_id for order_id, statuses in executions.items() if "RUNNING" in statuses),
            stopped=frozenset(
                order_id
                for order_id, statuses in executions.items()
                if statuses & {"ABORTED", "TIMED_OUT"} and "RUNNING" not in statuses
            ),
        )

    def _queued(self) -> dict[str, list[str]]:
        """Return {queue URL: bodies of all messages}. The messages stay in their queues and don't count as received."""
        found = self._ask("/_ministack/sqs/messages")
        return {
            url: [each["Body"] for each in messages]
            for regions in found.values()
            for queues in regions.values()
            for url, messages in queues.items()
        }

    def _mails(self) -> list[dict[str, Any]]:
        return [mail for mails in self._ask("/_ministack/ses/messages").values() for mail in mails]

    def _ask(self, path: str) -> dict[str, Any]:
        answer = requests.get(self.stack.instance.url + path, timeout=ANSWERS_WITHIN_S)
        answer.raise_for_status()
        return answer.json()["messages"]

    def _scan(self, table: str) -> list[dict[str, Any]]:
        pages = self.stack.aws.client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        return [row for page in pages for row in page["Items"]]

    def sweep(self, seen: Seen, order_ids: Collection[str]) -> None:
        """Mark stopped orders as late, and invoke the sweep, which restarts their workflow.

        An order in `order_ids` is stopped if it is PENDING and its execution was aborted or timed out. This method
        invokes `mark_late_orders` and `restart_late_orders` itself, instead of waiting for the stream and the
        schedule that invoke them on AWS. Errors of both functions are ignored, because the next call of this method
        handles the same orders again.
        """
        late = [each for each in order_ids if each in seen.stopped and seen.rows[each]["status"]["S"] == "PENDING"]
        for order_id in late:
            make_older(self.stack, order_id, _LATE)
            record = {"eventName": "INSERT", "dynamodb": {"Keys": {"order_id": {"S": order_id}}, "SequenceNumber": "1"}}
            self._invoke("mark_late_orders", {"Records": [record]})
        if late:
            self._invoke("restart_late_orders", {})

    def _invoke(self, function: str, event: dict[str, Any]) -> None:
        self.stack.aws(
            "lambda", "invoke", FunctionName=self.stack.ops["functions"][function], Payload=json.dumps(event)
        )

    def _executions(self) -> dict[str, set[str]]:
        """Return {order id: statuses of its STANDARD executions}. An execution's name begins with the order id."""
        pages = self.stack.aws.client("stepfunctions").get_paginator("list_executions")
        found: defaultdict[str, set[str]] = defaultdict(set)
        for page in pages.paginate(stateMachineArn=self.stack.ops["stateMachines"]["standard"]):
            for each in page["executions"]:
                found[each["name"][:_ID_LENGTH]].add(each["status"])
        return found


@contextmanager
def faulty_stack(
    port: int, home: Path, *, retry_base_s: float = RETRY_BASE_S, patience: float = PATIENCE, plan: Plan | None = None
) -> Generator[FaultyStack]:
    """Deploy the platform on an emulator whose functions call AWS through a fault proxy. Stop the emulator afterwards.

    Lambda retries a failed event after `retry_base_s` seconds, and then after twice that time. The time limits in the
    settings are multiplied by `patience`.
    """
    instance, plan, environments = temporary(port, home / "instance"), plan or Plan(), home / "environments"
    environments.mkdir()
    program = _program(home / "program")
    region = yaml.safe_load((program / "Pulumi.local.yaml").read_text(encoding="utf-8"))["config"]["aws:region"]
    proxy = FaultProxy(instance.url, plan, environments)
    proxy.start()
    try:
        with stopped_at_the_end(instance):
            emulator.start(
                instance,
                region=region,
                launcher="tests.proof.aws_faults.launch",
                owner=owner.this_process(),
                environment={
                    "AWS_ENDPOINT_URL": proxy.url,
                    "FAULTS_PROXY": proxy.url,
                    "FAULTS_ENVIRONMENTS": str(environments),
                    "LAMBDA_ASYNC_RETRY_BASE_SECONDS": str(retry_base_s),
                    "LOCAL_PATIENCE": str(patience),
                },
            ).wait()
            done = local("up", instance, "--program", str(program))
            assert done.returncode == 0, f"up failed:\n{done.stdout}\n{done.stderr}\n{emulator.tail(instance)}"
            outputs = json.loads(instance.outputs.read_text(encoding="utf-8"))
            stack = Stack(instance, outputs, Aws(instance, region))
            with _shortened(stack, patience):
                yield FaultyStack(stack, plan, everything_on_the_bus(stack))
    finally:
        proxy.stop()


@contextmanager
def _shortened(stack: Stack, patience: float) -> Generator[None]:
    """Reduce visibility timeouts and numbers of retries, so that failed messages reach their failure queues sooner."""
    with ExitStack() as until_then:
        for source, seconds in _AGAIN_S.items():
            function = stack.aws("lambda", "get_function_configuration", FunctionName=stack.ops["functions"][source])
            url, visible = function["Environment"]["Variables"]["QUEUE_URL"], str(ceil(seconds * patience))
            until_then.enter_context(queue_attributes(stack, url, VisibilityTimeout=visible))
            until_then.enter_context(received_at_most(stack, source, _RECEIVED_AT_MOST[source]))
        relay = stack.ops["functions"]["publish_order_events"]
        (mapping,) = stack.aws("lambda", "list_event_source_mappings", FunctionName=relay)["EventSourceMappings"]
        stack.aws("lambda", "update_event_source_mapping", UUID=mapping["UUID"], MaximumRetryAttempts=_RELAY_RETRIES)
        yield


def _program(directory: Path) -> Path:
    """Copy the Pulumi program to `directory`, with shorter function timeouts."""
    directory.mkdir()
    for name in _PROGRAM:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, directory / name)
    shutil.copytree(ROOT / ".build", directory / ".build", ignore=shutil.ignore_patterns("*.md", "pulumi*"))
    settings: Any = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text(encoding="utf-8"))
    settings["config"]["orders:functions"]["overrides"] = {
        function: {"timeoutSeconds": seconds} for function, seconds in _TIMEOUTS_S.items()
    }
    (directory / "Pulumi.local.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return directory
