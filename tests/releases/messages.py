"""Builds what AWS sends to the Lambda functions in these tests: stream records, events and messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import reduce
from typing import Any, Final

from components.apis import mapping_templates
from components.events import analytics_queue
from contracts.orders import LARGEST_BODY_BYTES
from emulator_fixes import velocity
from tests.fakes import messages
from tests.releases.platform import Json

_ACCOUNT: Final = {"account": "123456789012", "region": "ap-northeast-1"}


def stream_batch(records: list[Json]) -> Json:
    """Return the event that Lambda sends to a function for `records` of a table's stream."""
    source = {"eventVersion": "1.1", "eventSource": "aws:dynamodb", "awsRegion": _ACCOUNT["region"]}
    return {
        "Records": [
            {"eventID": record["dynamodb"]["SequenceNumber"], **source, **record}
            for record in json.loads(json.dumps(records))
        ]
    }


def delivered(entry: Mapping[str, Any]) -> Json:
    """Return the event that EventBridge delivers for an entry of PutEvents."""
    detail = json.loads(entry["Detail"])
    return {
        "version": "0",
        "id": f"delivery-of-{detail['event_id']}",
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        **_ACCOUNT,
        "time": "2026-01-02T03:04:05Z",
        "resources": [],
        "detail": detail,
    }


def analytics_body(event: Json) -> str:
    """Return the body of the message that EventBridge sends to the analytics queue for an event."""
    paths: dict[str, str] = analytics_queue.target_options("0")["input_transformer"]["input_paths"]

    def value(path: str) -> Any:
        return reduce(lambda node, name: node[name], path.removeprefix("$.").split("."), event)

    return json.dumps({name: value(path) for name, path in paths.items()})


def queue_batch(bodies: list[str], *, received: int = 1, group: str | None = "orders") -> Json:
    """Return the event that Lambda sends to the consumer of a queue. Each of `bodies` is the body of one message.

    `received` is the number of times that SQS has delivered each message, including this delivery. `group` is the
    message group of messages from a FIFO queue, and None for a standard queue.
    """
    return messages.batch(*bodies, received=received, group=group)


def aborted_execution(order_id: str, workflow_input: str) -> Json:
    """Return the event with which Step Functions reports that an order's execution was aborted."""
    arn = f"arn:aws:states:{_ACCOUNT['region']}:{_ACCOUNT['account']}"
    return {
        "version": "0",
        "id": f"end-of-{order_id}",
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        **_ACCOUNT,
        "time": "2026-01-02T03:04:05Z",
        "resources": [f"{arn}:execution:standard:{order_id}"],
        "detail": {
            "executionArn": f"{arn}:execution:standard:{order_id}",
            "stateMachineArn": f"{arn}:stateMachine:standard",
            "name": order_id,
            "status": "ABORTED",
            "input": workflow_input,
            "output": None,
        },
    }


def express_input(user_id: str, key: str, body: Json) -> Json:
    """Return the input with which API Gateway starts the EXPRESS execution for a request to POST /process."""
    template = mapping_templates.render(
        "process_request",
        state_machine_arn="arn:express",
        largest_body_bytes=LARGEST_BODY_BYTES,
        longest_base64=2 * LARGEST_BODY_BYTES,
    )
    request = velocity.Request(
        body=json.dumps(body),
        path={},
        query={},
        headers={"Idempotency-Key": key, "Content-Type": "application/json"},
        context={"requestId": "gateway-request", "authorizer": {"claims": {"sub": user_id}}},
        stage_variables={},
    )
    return json.loads(json.loads(velocity.render(template, request).text)["input"])
