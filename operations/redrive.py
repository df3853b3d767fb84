"""Redrives failed work: sends the messages in the failure queues back to where they failed.

Usage: `python -m operations.redrive STACK [--dry-run] [--port PORT]`. Consumers are idempotent, so it is safe to send a
message back twice. Exit codes: 0 if no message is left, 1 if a message stayed in its queue (the output says why), 2 if
the arguments or the stack are invalid.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from cli import endings
from cli.signals import Work, on_signal
from local import aws, environment
from local.errors import LocalError
from local.instance import DEFAULT_PORT, port_number
from operations import stack_outputs
from operations.failed_messages import (
    FailureQueue,
    Message,
    NotRedriven,
    Redriver,
    delete,
    hidden_behind,
    messages,
    release,
)
from operations.failure_reasons import Reasons
from operations.stack_outputs import ERROR_LOG, LOCAL_STACK, OperationError

# Maximum number of connections in the pool of each SDK client. It must not be lower than the number of failure queues
# that the redrive reads at the same time.
_CONNECTIONS = 32
# Kinds of failure queues, in the order of the redrive. For each failed event of process_order, Lambda sends two
# messages. A queue of the kind "invocation" receives an envelope with the event and the error. A queue of the kind
# "dead-letter" receives a copy of the event. The redrive handles the envelopes first, and sends their events back. Then
# it deletes the copies of these events.
_ORDER = ("delivery", "invocation", "dead-letter", "stream", "queue")


def failure_queues(outputs: Mapping[str, Any]) -> list[FailureQueue]:
    """Return the failure queues in the output `ops.failureQueues` of `outputs`, in the order of the redrive."""
    described = outputs["ops"]["failureQueues"]
    queues = [
        FailureQueue(name=name, url=entry["url"], kind=entry["kind"], redrive_to=entry["redriveTo"])
        for name, entry in described.items()
    ]
    return sorted(queues, key=lambda queue: (_ORDER.index(queue.kind), queue.name))


def redrive(outputs: Mapping[str, Any], *, dry_run: bool) -> int:
    """Redrive all failure queues of the stack with the outputs `outputs`.

    If `dry_run` is true, only print their messages. Return the number of messages that stayed in their queues, or 0 in
    a dry run.
    """
    client = clients(outputs)
    redriver = Redriver(sqs=client("sqs"), functions=client("lambda"), streams=client("dynamodbstreams"))
    reasons = Reasons(logs=client("logs"), groups=outputs["ops"].get("logGroups", {}))
    run = Run(redriver=redriver, reasons=reasons, dry_run=dry_run, started_s=time.time())
    queues = failure_queues(outputs)
    _print(f"reading {len(queues)} failure queues; this takes a few seconds")
    copies = [queue for queue in queues if queue.kind == "dead-letter"]
    with on_signal(run.stop), ThreadPoolExecutor(max_workers=max(len(queues), 1)) as pool:
        # Each read takes at least 1 s, because it ends only after SQS has returned no message for 1 s. Read the queues
        # in parallel to save time. Read the dead-letter queues after all others (see the comment at _ORDER).
        for wave in ([queue for queue in queues if queue not in copies], copies):
            list(pool.map(run.work_off, wave))
    verb = "would be sent back" if dry_run else "sent back"
    _print(f"{run.done} message(s) {verb}" + (f", {run.kept} stayed" if run.kept else ""))
    return run.kept


@dataclass
class Run:
    """One redrive of all failure queues, in several threads."""

    redriver: Redriver
    reasons: Reasons
    dry_run: bool
    started_s: float
    done: int = 0
    kept: int = 0
    _sent_back: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """The failed invocations whose events were sent back, as (redrive target, request id).

    A dead-letter queue can contain the same event again. The redrive drops such a copy.
    """
    _hidden: dict[str, Message] = field(default_factory=dict[str, Message])
    """Received messages by message id, until they are deleted or made visible again."""
    _work: Work = field(default_factory=Work)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def stop(self) -> None:
        """Stop the redrive, and make all received messages visible again, so that the next redrive can receive them."""
        self._work.stop()
        with ThreadPoolExecutor(max_workers=_CONNECTIONS) as pool:
            for message in list(self._hidden.values()):
                pool.submit(release, self.redriver.sqs, message)
        self._work.settle()

    def work_off(self, queue: FailureQueue) -> None:
        """Send back all messages of `queue`. In a dry run, only print them."""
        stayed = set[str]()
        while self._pass(queue, stayed) and queue.kind == "queue":
            # Only a FIFO queue can need another pass. During a pass, SQS hides the messages that stay in the queue.
            # A hidden message blocks the later messages of its message group. After the pass, `release` makes the
            # hidden messages visible again, so the next pass can also read the later messages.
            pass

    def _pass(self, queue: FailureQueue, stayed: set[str]) -> bool:
        """Read `queue` once, and redrive its messages. Return whether reading the queue again can help.

        Reading again can help if some messages left the queue and others stayed. The ids of messages that stayed are
        added to `stayed`.
        """
        held, left = list[Message](), 0
        sqs = self.redriver.sqs
        for message in messages(sqs, queue, until_s=self.started_s, hidden=self._hidden):
            if message.message_id not in stayed and self._leaves(message):
                left += 1
                continue
            stayed.add(message.message_id)
            held.append(message)
        if self.dry_run and queue.kind == "queue" and (behind := hidden_behind(sqs, queue)):
            _print(
                f"{queue.name}: about {behind} more messages would be sent back; SQS hides them until the messages "
                "above have left the queue"
            )
            self._count(done=behind)
        for message in held:
            release(sqs, message)
            self._hidden.pop(message.message_id, None)
        return bool(held and left)

    def _leaves(self, message: Message) -> bool:
        """Redrive `message`. A signal does not interrupt this work. Return whether the message left its queue."""
        with self._work.one():
            return self._treat(message)

    def _treat(self, message: Message) -> bool:
        """Redrive `message`, or drop it if it is a copy of a message that was sent back. Print the result.

        In a dry run, only print what would happen. Return whether the message left its queue.
        """
        copy = self._is_copy(message)
        if self.dry_run:
            what = "would be dropped as a copy" if copy else "would be sent back"
        elif copy:
            what = "dropped as a copy of a message that was sent back"
        else:
            try:
                what = self.redriver.send_back(message)
            except (NotRedriven, ClientError, BotoCoreError) as error:
                self._say(message, f"stays: {error}")
                self._count(kept=1)
                return False
        self._say(message, what)
        if not self.dry_run:
            delete(self.redriver.sqs, message)
            self._hidden.pop(message.message_id, None)
        if message.queue.kind == "invocation":
            self._sent_back.add((message.queue.redrive_to, message.request_id))
        self._count(done=not copy)
        return not self.dry_run

    def _is_copy(self, message: Message) -> bool:
        known = (message.queue.redrive_to, message.request_id) in self._sent_back
        return message.queue.kind == "dead-letter" and bool(message.request_id) and known

    def _say(self, message: Message, what: str) -> None:
        _print(f"{message.queue.name}: {message.subject} ({self.reasons.of(message)}): {what}")

    def _count(self, *, done: int = 0, kept: int = 0) -> None:
        with self._lock:
            self.done += done
            self.kept += kept


def clients(outputs: Mapping[str, Any]) -> Callable[[str], Any]:
    """Return a function that creates an AWS SDK client by service name.

    If `outputs` belong to the stack `local`, the clients call the emulator. Otherwise they call AWS with the settings
    of this machine.
    """
    region, local = outputs["frontend"]["region"], outputs.get("local")
    config = Config(
        # Requests to AWS may need the proxy of this machine, but requests to the local emulator must not use it.
        proxies=aws.NO_PROXIES if local else None,
        retries={"mode": "standard", "total_max_attempts": 3},
        connect_timeout=5,
        read_timeout=70,
        max_pool_connections=_CONNECTIONS,
    )
    keywords: dict[str, Any] = {"region_name": region} | ({"endpoint_url": local["endpointUrl"]} if local else {})
    # The type stubs accept only literal service names, but `service` is a variable. The type Any prevents the type
    # error.
    session = cast("Any", aws.session(region) if local else boto3)

    def client(service: str) -> Any:
        try:
            return session.client(service, config=config, **keywords)
        except ValueError as error:
            raise OperationError(f"AWS settings of this machine: {error}; correct these settings") from error

    return client


def _print(line: str) -> None:
    # Several threads print. Write each line and its line break in one call, so that the lines do not mix.
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Run the command, and return its exit code."""
    parser = argparse.ArgumentParser(prog="redrive", description="Send failed messages back to where they failed.")
    parser.add_argument("stack", help="name of the stack; local is the stack on the emulator")
    parser.add_argument("--dry-run", action="store_true", help="only print what would be done")
    parser.add_argument("--port", type=port_number, default=DEFAULT_PORT, help="port of the emulator")
    given = parser.parse_args(arguments)
    known = (OperationError, LocalError, BotoCoreError, ClientError)
    return endings.run(lambda: _command(given), ERROR_LOG, known=known, prefix="redrive", failed=2)


def _command(given: argparse.Namespace) -> int:
    # Requests to the emulator must not depend on this machine's AWS settings, but requests to AWS need these settings.
    with environment.isolated() if given.stack == LOCAL_STACK else nullcontext():
        try:
            return 1 if redrive(stack_outputs.read(given.stack, port=given.port), dry_run=given.dry_run) else 0
        except EndpointConnectionError as error:
            start = f"start it with `make up PORT={given.port}`"
            remedy = start if given.stack == LOCAL_STACK else "check the network connection"
            raise OperationError(f"no response: {error}; {remedy}") from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
