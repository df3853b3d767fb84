"""In-memory fakes of a stack's failure queues, and sample messages for these queues."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from operations import redrive as command
from tests.operations.redrive_fakes import FakeLambda, FakeLogs, FakeSqs, FakeStream

ALIAS = "arn:aws:lambda:ap-northeast-1:123456789012:function:orders-dev-process-order:live"
FAILER = "arn:aws:lambda:ap-northeast-1:123456789012:function:orders-dev-fail-order:live"
RELAY = "arn:aws:lambda:ap-northeast-1:123456789012:function:orders-dev-publish-order-events:live"
RELAY_LOG = "/aws/lambda/orders-dev-publish-order-events"
MAIL_QUEUE = "https://sqs.ap-northeast-1.amazonaws.com/123456789012/orders-dev-email"
FIFO = "https://sqs.ap-northeast-1.amazonaws.com/123456789012/orders-dev-analytics.fifo"
STREAM = "arn:aws:dynamodb:ap-northeast-1:123456789012:table/orders-dev-orders/stream/2026-01-01T00:00:00.000"
SHARD = "shardId-00000001700000000000-a1b2c3d4"
FIRST = 100_000_000_000_000_000_101
"""Sequence number of the first record. DynamoDB's sequence numbers have at least 21 digits."""
QUEUES = {
    "process-order-dlq": ("dead-letter", ALIAS),
    "process-order-failures": ("invocation", ALIAS),
    # This queue exists only in stacks that were deployed with release 0.1.0.
    "fail-order-dlq": ("dead-letter", FAILER),
    "send-email-failures": ("queue", MAIL_QUEUE),
    "publish-order-events-stream": ("stream", RELAY),
    "analytics-dlq": ("queue", FIFO),
    "analytics-delivery": ("delivery", FIFO),
    "process-order-delivery": ("delivery", ALIAS),
}
EVENT: dict[str, Any] = {
    "version": "0",
    "id": "7bf73129-1428-4cd3-a780-95db273d1602",
    "source": "orders.api",
    "detail-type": "OrderCreated",
    "detail": {"event_id": "o-1:PENDING", "order": {"order_id": "o-1", "status": "PENDING"}},
}


def envelope(event: Any = EVENT, *, request_id: str = "r-1") -> dict[str, Any]:
    """Return the envelope that Lambda sends to an on-failure destination."""
    return {
        "version": "1.0",
        "requestContext": {"requestId": request_id, "condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
        "responsePayload": {"errorType": "OrderNotFound", "errorMessage": "order o-1: there is none"},
    }


def stream_report() -> dict[str, Any]:
    """Return the report that Lambda sends about failed stream records: only their positions, not the records."""
    return {
        "requestContext": {"requestId": "r-9", "condition": "RetryAttemptsExhausted"},
        "DDBStreamBatchInfo": {
            "shardId": SHARD,
            "startSequenceNumber": str(FIRST),
            "endSequenceNumber": str(FIRST + 2),
            "batchSize": 3,
            "streamArn": STREAM,
        },
    }


def stream_records(*positions: int) -> list[dict[str, Any]]:
    numbers = [FIRST + position for position in positions]
    return [{"eventName": "INSERT", "dynamodb": {"SequenceNumber": str(number)}} for number in numbers]


@dataclass
class World:
    """A stack's failure queues, and fakes of the services that a redrive calls."""

    sqs: FakeSqs = field(default_factory=lambda: FakeSqs("analytics-dlq"))
    logs: FakeLogs = field(default_factory=FakeLogs)
    functions: FakeLambda = field(default_factory=FakeLambda)
    stream: FakeStream = field(default_factory=lambda: FakeStream([stream_records(0, 1, 2, 3)]))
    clients: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])

    @property
    def outputs(self) -> dict[str, Any]:
        queues = {name: {"url": name, "kind": kind, "redriveTo": to} for name, (kind, to) in QUEUES.items()}
        ops = {"failureQueues": queues, "logGroups": {"publish_order_events": RELAY_LOG}}
        return {"frontend": {"region": "ap-northeast-1"}, "ops": ops}

    def client(self, service: str, **keywords: Any) -> Any:
        self.clients.append((service, keywords))
        return {"sqs": self.sqs, "lambda": self.functions, "dynamodbstreams": self.stream, "logs": self.logs}[service]

    def redrive(self, *, dry_run: bool = False) -> int:
        return command.redrive(self.outputs, dry_run=dry_run)
