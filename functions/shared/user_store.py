"""Reads and writes profiles in the users table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shared import rows
from shared.aws import existing_row, is_failed_condition
from shared.domain.users import User
from shared.errors import UserAlreadyExists

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class UserStore:
    """Reads and creates profiles by user id."""

    def __init__(self, client: DynamoDBClient, *, table: str) -> None:
        self._client = client
        self._table = table

    def create(self, user: User, *, request_id: str) -> User:
        """Create the profile, once per `request_id`. Raises UserAlreadyExists if the user already has a profile.

        The SDK retries a write whose response was lost. The `request_id` lets the retry recognize its own row.
        """
        try:
            self._client.put_item(
                TableName=self._table,
                Item=rows.user_row(user, request_id=request_id),
                ConditionExpression="attribute_not_exists(user_id)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if not is_failed_condition(error):
                raise
            row = existing_row(error)
            if row is None or row["request_id"]["S"] != request_id:
                raise UserAlreadyExists("profile: already exists; each user can have only one profile") from error
        return user

    def get(self, user_id: str) -> User | None:
        """Return the profile, or None if it does not exist."""
        answer = self._client.get_item(TableName=self._table, Key={"user_id": {"S": user_id}}, ConsistentRead=True)
        return rows.user_of(answer["Item"]) if "Item" in answer else None
