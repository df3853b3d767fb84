"""Handles POST /users and GET /users/{user_id} of the REST API.

Environment variables: USERS_TABLE, CORS_ORIGINS.
"""

from __future__ import annotations

import os
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from shared import aws, contracts, http
from shared.domain.times import timestamp, utc_now
from shared.domain.users import UserContent, check_name, is_user_id
from shared.errors import UserNotFound, ValidationError
from shared.identity import Caller
from shared.telemetry import count_event, logger, metrics, tracer
from shared.user_store import UserStore

api = http.rest_api(os.environ["CORS_ORIGINS"])
users = UserStore(aws.client("dynamodb"), table=os.environ["USERS_TABLE"])
check_body = contracts.request_check("createUser")


@api.post("/users")
def create_user() -> Response[str]:
    """Create the caller's profile.

    The user id and the address come from the token. A caller therefore cannot make the platform send emails to another
    person's address.
    """
    caller = http.caller(api)
    content: UserContent = http.json_body(api, check_body)
    check_name(content["name"])
    user = users.create(
        {
            "user_id": caller.user_id,
            "name": content["name"],
            "email": _own_address(caller, content["email"]),
            "created_at": timestamp(utc_now()),
        },
        request_id=api.lambda_context.aws_request_id,
    )
    count_event("UserCreated")
    return http.answer(HTTPStatus.CREATED, user, location=http.location_of(api, user["user_id"]))


@api.get("/users/<user_id>")
def get_user(user_id: str) -> Response[str]:
    """Return a profile. Raises UserNotFound if it does not exist or if the caller may not read it."""
    caller = http.caller(api)
    user = None
    if user_id == caller.user_id and caller.verified_email is not None:
        request_id = api.lambda_context.aws_request_id
        user = users.get_own(user_id, verified_email=caller.verified_email, request_id=request_id)
    elif caller.may_read(user_id) and is_user_id(user_id):
        user = users.get(user_id)
    if user is None:
        raise UserNotFound("user: not found")
    return http.answer(HTTPStatus.OK, user)


def _own_address(caller: Caller, address: str) -> str:
    """Return the email address in the token of `caller`. `address` is the address in the request body.

    Raises ValidationError unless the token's address is verified and equals `address` in any letter case.
    """
    if caller.verified_email is None:
        raise ValidationError(
            "body.email: your token contains no verified email address; verify the address of your account, then sign "
            "in with the scope email",
            [{"pointer": "/email", "rule": "verified", "message": "your token contains no verified email address"}],
        )
    if caller.verified_email.lower() != address.lower():
        problem = "must be the verified email address of your account, in any letter case"
        raise ValidationError(f"body.email: {problem}", [{"pointer": "/email", "rule": "verified", "message": problem}])
    return caller.verified_email


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handle one request of the REST API."""
    return api.resolve(event, context)
