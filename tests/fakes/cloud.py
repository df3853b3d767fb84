"""The fakes of all AWS services that the Lambda functions and workflows call, in one object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.fakes.dynamodb import FakeDynamoDB, order_tables
from tests.fakes.services import FakeEventBridge, FakeS3, FakeSes, FakeSqs, FakeStepFunctions


@dataclass
class FakeCloud:
    """One fake for each AWS service. The name of each field is the name of the service in botocore."""

    dynamodb: FakeDynamoDB = field(default_factory=FakeDynamoDB)
    events: FakeEventBridge = field(default_factory=FakeEventBridge)
    stepfunctions: FakeStepFunctions = field(default_factory=FakeStepFunctions)
    sesv2: FakeSes = field(default_factory=FakeSes)
    s3: FakeS3 = field(default_factory=FakeS3)
    sqs: FakeSqs = field(default_factory=FakeSqs)

    @property
    def clients(self) -> dict[str, Any]:
        """Return the fakes as {name of the service in botocore: fake}."""
        return {
            "dynamodb": self.dynamodb,
            "events": self.events,
            "stepfunctions": self.stepfunctions,
            "sesv2": self.sesv2,
            "s3": self.s3,
            "sqs": self.sqs,
        }

    def clear(self) -> None:
        """Delete all data and recorded calls."""
        self.dynamodb.tables.update(order_tables())
        self.events.entries.clear()
        self.stepfunctions.executions.clear()
        self.stepfunctions.ended.clear()
        self.sesv2.sent.clear()
        self.s3.objects.clear()
        self.sqs.sent.clear()
        self.sqs.pauses_s.clear()
        for client in self.clients.values():
            client.faults.calls.clear()
