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
        """Create the profile and return it. The address of `user` must be verified.

        The new profile replaces an existing one whose address is not verified, or is no longer the user's address.
        Raises UserAlreadyExists if the user already has another profile.

        The SDK repeats a write whose response was lost. If the existing row contains the same `request_id`, the first
        attempt wrote it, and this method raises no error.
        """
        row = self._put(
            user,
            request_id=request_id,
            condition="attribute_not_exists(user_id) OR attribute_not_exists(email_verified) OR email <> :email",
            email=user["email"],
        )
        if row is not None and row["request_id"]["S"] != request_id:
            raise UserAlreadyExists("profile: already exists; each user can have only one profile")
        return user

    def get(self, user_id: str) -> User | None:
        """Return the profile, or None if it does not exist."""
        row = self._row(user_id)
        return rows.user_of(row) if row is not None else None

    def get_own(self, user_id: str, *, verified_email: str, request_id: str) -> User | None:
        """Return the caller's own profile, or None if it does not exist.

        Release 0.1.0 did not verify the addresses of profiles. If a profile's unverified address equals
        `verified_email` in any letter case, this method marks the address as verified, so that the user receives
        emails.
        """
        row = self._row(user_id)
        if row is None:
            return None
        user = rows.user_of(row)
        if rows.has_verified_email(row) or user["email"].lower() != verified_email.lower():
            return user
        checked: User = {**user, "email": verified_email}
        # Another request may have marked the address as verified in the meantime. If so, this condition fails, and the
        # row needs no change.
        condition = "email = :email AND attribute_not_exists(email_verified)"
        self._put(checked, request_id=request_id, condition=condition, email=user["email"])
        return checked

    def recipient(self, user_id: str) -> User | None:
        """Return the profile, or None if it does not exist or if its address is not verified."""
        row = self._row(user_id)
        return rows.user_of(row) if row is not None and rows.has_verified_email(row) else None

    def _row(self, user_id: str) -> rows.Row | None:
        answer = self._client.get_item(TableName=self._table, Key={"user_id": {"S": user_id}}, ConsistentRead=True)
        return answer.get("Item")

    def _put(self, user: User, *, request_id: str, condition: str, email: str) -> rows.Row | None:
        """Write the row and return None. If `condition` is false for the existing row, return that row instead."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item=rows.user_row(user, request_id=request_id),
                ConditionExpression=condition,
                ExpressionAttributeValues={":email": {"S": email}},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            row = existing_row(error)
            if not is_failed_condition(error) or row is None:
                raise
            return row
        return None
