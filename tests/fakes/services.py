"""In-memory fakes of EventBridge, Step Functions, SES, S3 and SQS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.fakes.faults import Faults, client_error

_MOST_ENTRIES = 10
_LARGEST_CALL = 256 * 1024


class FakeEventBridge:
    """A fake of EventBridge that stores the accepted entries.

    `refusals` contains one set of positions for each of the next PutEvents calls. A call refuses the entries at these
    positions.
    """

    def __init__(self) -> None:
        self.faults = Faults("events")
        self.entries: list[dict[str, Any]] = []
        self.refusals: list[set[int]] = []
        self.refusal_code = "ThrottlingException"

    def put_events(self, **arguments: Any) -> dict[str, Any]:
        return self.faults.run("put_events", arguments, lambda: self._put_events(arguments["Entries"]))

    def _put_events(self, entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
        if not 1 <= len(entries) <= _MOST_ENTRIES:
            raise client_error("ValidationException", "PutEvents", "1 to 10 entries")
        if sum(len(entry["Detail"]) for entry in entries) > _LARGEST_CALL:
            raise client_error("ValidationException", "PutEvents", "Total size of the entries is over the limit")
        refused = self.refusals.pop(0) if self.refusals else set[int]()
        results: list[dict[str, str]] = []
        for position, entry in enumerate(entries):
            if position in refused:
                results.append({"ErrorCode": self.refusal_code, "ErrorMessage": "refused by the test"})
            else:
                self.entries.append(entry)
                results.append({"EventId": str(len(self.entries))})
        return {"FailedEntryCount": len(refused), "Entries": results}


class FakeStepFunctions:
    """A fake of Step Functions that starts at most one execution for each name.

    As on AWS, starting a running execution again with the same input succeeds without an effect.
    """

    def __init__(self) -> None:
        self.faults = Faults("stepfunctions")
        self.executions: dict[str, dict[str, Any]] = {}
        self.ended: set[str] = set()
        """Names of the executions that have ended."""

    @property
    def running(self) -> list[str]:
        """Return the names of the executions that have not ended, in the order in which they started."""
        return [name for name in self.executions if name not in self.ended]

    def start_execution(self, **arguments: Any) -> dict[str, Any]:
        return self.faults.run("start_execution", arguments, lambda: self._start(arguments))

    def _start(self, arguments: dict[str, Any]) -> dict[str, Any]:
        name = arguments["name"]
        same = self.executions.setdefault(name, arguments)["input"] == arguments["input"]
        if name in self.ended or not same:
            raise client_error("ExecutionAlreadyExists", "StartExecution")
        return {"executionArn": f"arn:execution:{name}"}


class FakeSes:
    """A fake of SES that stores the sent emails."""

    def __init__(self) -> None:
        self.faults = Faults("sesv2")
        self.sent: list[dict[str, Any]] = []

    def send_email(self, **arguments: Any) -> dict[str, Any]:
        def send() -> dict[str, Any]:
            self.sent.append(arguments)
            return {"MessageId": str(len(self.sent))}

        return self.faults.run("send_email", arguments, send)


class FakeS3:
    """A fake of S3 that stores the objects of all buckets as {(bucket, key): content}."""

    def __init__(self) -> None:
        self.faults = Faults("s3")
        self.objects: dict[tuple[str, str], bytes] = {}

    def put_object(self, **arguments: Any) -> dict[str, Any]:
        def put() -> dict[str, Any]:
            place = (arguments["Bucket"], arguments["Key"])
            if arguments.get("IfNoneMatch") == "*" and place in self.objects:
                raise client_error("PreconditionFailed", "PutObject")
            self.objects[place] = arguments["Body"]
            return {}

        return self.faults.run("put_object", arguments, put)


class FakeSqs:
    """A fake of SQS that stores the sent messages and the ChangeMessageVisibility calls.

    `pauses_s` is {receipt handle: visibility timeout in seconds}.
    """

    def __init__(self) -> None:
        self.faults = Faults("sqs")
        self.sent: list[dict[str, Any]] = []
        self.pauses_s: dict[str, int] = {}
        self.delayed: list[dict[str, Any]] = []

    def change_message_visibility(self, **arguments: Any) -> dict[str, Any]:
        def change() -> dict[str, Any]:
            self.pauses_s[arguments["ReceiptHandle"]] = arguments["VisibilityTimeout"]
            self.delayed.append(arguments)
            return {}

        return self.faults.run("change_message_visibility", arguments, change)

    def send_message(self, **arguments: Any) -> dict[str, Any]:
        def send() -> dict[str, Any]:
            self.sent.append(arguments)
            return {"MessageId": str(len(self.sent))}

        return self.faults.run("send_message", arguments, send)
