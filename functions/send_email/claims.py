"""Claims prevent a second email for one event: an invocation claims the event before it sends the email.

Claims also keep the emails of one order in sequence: before the email about a later status is sent, the events about
the earlier statuses are marked as DONE. If such an event arrives afterwards, no email is sent about it.

The idempotency table has one row per event with these attributes: `id`, the event id; `status`, CLAIMED or DONE;
`claim`, a random id of the claiming invocation; `claimed_until`, the end of that invocation's time limit in Unix
milliseconds; `expiration`, the time to live in Unix seconds.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from shared.aws import existing_row, is_failed_condition
from shared.errors import MailClaimed

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_RELEASED: Final[Mapping[str, Any]] = {":past": {"N": "0"}, ":claimed": {"S": "CLAIMED"}}


class Claims:
    """Creates, completes and releases claims in the idempotency table."""

    def __init__(self, client: DynamoDBClient, *, table: str, kept: timedelta) -> None:
        """Store each row for the time `kept`.

        This time must be at least as long as the longest time for which an archive or queue stores events. Otherwise,
        an event that is delivered again could cause a second email.
        """
        self._client = client
        self._table = table
        self._kept = kept

    def take(self, event_id: str, *, now: datetime, until: datetime) -> str | None:
        """Claim the event up to the time `until`. Return the claim's id, or None if the email is DONE.

        Raises MailClaimed while another invocation holds a claim. If the SDK repeats the write, both attempts contain
        the same claim id, so the second attempt succeeds too. No attempt can overwrite a DONE row. An attempt that
        reaches DynamoDB after the email was sent therefore changes nothing.
        """
        return self._put(event_id, "CLAIMED", now=now, until=until)

    def close(self, event_id: str, *, now: datetime) -> None:
        """Mark the email about an earlier status of the order as DONE, so that it is not sent after a later email.

        Usually the email was already sent, and its row is DONE. In this case, this method writes nothing. Raises
        MailClaimed while another invocation is sending the email.
        """
        key = {"id": {"S": event_id}}
        row = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        if row is None or row["status"].get("S") != "DONE":
            self._put(event_id, "DONE", now=now, until=now)

    def _put(self, event_id: str, status: str, *, now: datetime, until: datetime) -> str | None:
        """Write the row of the event and return the id of its new claim, or return None if the existing row is DONE."""
        claim = str(uuid.uuid4())
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "id": {"S": event_id},
                    "status": {"S": status},
                    "claim": {"S": claim},
                    "claimed_until": {"N": _milliseconds(until)},
                    "expiration": {"N": str(int((now + self._kept).timestamp()))},
                },
                ConditionExpression=(
                    "attribute_not_exists(id) OR expiration < :now_s "
                    "OR (#status = :claimed AND (claim = :claim OR claimed_until < :now_ms))"
                ),
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={
                    ":claimed": {"S": "CLAIMED"},
                    ":claim": {"S": claim},
                    ":now_s": {"N": str(int(now.timestamp()))},
                    ":now_ms": {"N": _milliseconds(now)},
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            row = existing_row(error)
            if not is_failed_condition(error) or row is None:
                raise
            if row["status"]["S"] == "DONE":
                return None
            raise MailClaimed("email: another invocation is sending the email for this event") from error
        return claim

    def finish(self, event_id: str, claim: str) -> None:
        """Mark the event's email as DONE."""
        self._change(event_id, claim, "SET #status = :done", {":done": {"S": "DONE"}})

    def release(self, event_id: str, claim: str) -> None:
        """Release the claim, so that the next invocation can claim the event immediately."""
        self._change(event_id, claim, "SET claimed_until = :past, #status = :claimed", _RELEASED)

    def _change(self, event_id: str, claim: str, update: str, values: Mapping[str, Any]) -> None:
        """Update the row of the event. Raises the AWS error if another claim has replaced `claim`."""
        self._client.update_item(
            TableName=self._table,
            Key={"id": {"S": event_id}},
            UpdateExpression=update,
            ConditionExpression="claim = :claim",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":claim": {"S": claim}, **values},
        )


def _milliseconds(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1000))
