"""`python -m operations.redrive STACK [--dry-run] [--port PORT]`: failed messages go back to where they failed.

Consumers are idempotent, so a message that is sent back twice does nothing twice. Exit code 0: nothing is left;
1: something stayed in its queue, which is said; 2: the arguments or the stack are not usable.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from operations import stack_outputs
from operations.failed_messages import FailureQueue, Message, NotRedriven, Redriver, delete, messages, release
from operations.stack_outputs import OperationError

# Envelopes first: a dead letter is a copy of one, and is dropped when that was sent back.
_ORDER = ("delivery", "invocation", "dead-letter", "stream", "queue")


def failure_queues(outputs: Mapping[str, Any]) -> list[FailureQueue]:
    """Return the queues of the stack output `ops.failureQueues`, in the order to treat them."""
    described = outputs["ops"]["failureQueues"]
    queues = [
        FailureQueue(name=name, url=entry["url"], kind=entry["kind"], redrive_to=entry["redriveTo"])
        for name, entry in described.items()
    ]
    return sorted(queues, key=lambda queue: (_ORDER.index(queue.kind), queue.name))


def redrive(outputs: Mapping[str, Any], *, dry_run: bool) -> int:
    """Send everything back; return how many messages stayed where they are (none counts in a dry run)."""
    session = _session(outputs)
    redriver = Redriver(sqs=session("sqs"), functions=session("lambda"), streams=session("dynamodbstreams"))
    started_s = time.time()
    done, kept, copies = 0, 0, set[tuple[str, str]]()
    queues = failure_queues(outputs)
    _print(f"reading {len(queues)} failure queues, about a second each")
    for queue in queues:
        seen = list[Message]()
        for message in messages(redriver.sqs, queue, until_s=started_s):
            key = (queue.redrive_to, message.request_id)
            is_copy = queue.kind == "dead-letter" and bool(message.request_id) and key in copies
            if dry_run:
                _say(message, "would be dropped, a copy" if is_copy else "would be sent back")
                seen.append(message)
                done += not is_copy
            elif is_copy:
                delete(redriver.sqs, message)
                _say(message, "dropped, a copy of what was sent back")
            elif _sent_back(redriver, message):
                done += 1
            else:
                kept += 1
                seen.append(message)
                continue
            if queue.kind == "invocation":
                copies.add(key)
        for message in seen:
            release(redriver.sqs, message)
    verb = "would be sent back" if dry_run else "sent back"
    _print(f"{done} message(s) {verb}" + (f", {kept} stayed" if kept else ""))
    return kept


def _sent_back(redriver: Redriver, message: Message) -> bool:
    try:
        _say(message, redriver.send_back(message))
    except (NotRedriven, ClientError, BotoCoreError) as error:
        _say(message, f"stays: {error}")
        return False
    delete(redriver.sqs, message)
    return True


def _session(outputs: Mapping[str, Any]) -> Callable[[str], Any]:
    local = outputs.get("local")
    keywords: dict[str, Any] = {"region_name": outputs["frontend"]["region"]}
    if local:
        keywords |= {
            "endpoint_url": local["endpointUrl"],
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        }
    config = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=5, read_timeout=70)

    # The stubs know each service by a literal name alone.
    return lambda service: cast("Any", boto3).client(service, config=config, **keywords)


def _say(message: Message, what: str) -> None:
    _print(f"{message.queue.name}: {message.subject} ({message.reason}): {what}")


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="redrive", description="Return failed messages to where they failed.")
    parser.add_argument("stack", help="the stack's name; local is the emulator's")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--port", type=int, default=stack_outputs.DEFAULT_PORT, help="the emulator's port")
    given = parser.parse_args(arguments)
    try:
        return 1 if redrive(stack_outputs.read(given.stack, port=given.port), dry_run=given.dry_run) else 0
    except (OperationError, BotoCoreError, ClientError) as error:
        sys.stderr.write(f"redrive: {error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
