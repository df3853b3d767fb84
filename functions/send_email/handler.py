"""Sends the customer an email about each status of an order, one email per event.

Environment variables: USERS_TABLE, IDEMPOTENCY_TABLE, REMEMBERED_DAYS (how long to remember a sent email), MAIL_SENDER.
Event: any event about an order. Output: {"sent": bool}, whether this invocation sent an email. Raises ValidationError
if the event violates its contract.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from contracts.orders import DETAIL_TYPES
from send_email.claims import Claims
from send_email.emails import Email, email_about
from shared import aws, events
from shared.domain.times import utc_now
from shared.errors import MailRefused
from shared.events import Detail
from shared.telemetry import correlate, count_event, logger, metrics, tracer
from shared.user_store import UserStore

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

dynamodb = aws.client("dynamodb")
ses: SESV2Client = aws.client("sesv2", read_timeout_s=5, silent_errors=True)
users = UserStore(dynamodb, table=os.environ["USERS_TABLE"])
claims = Claims(
    dynamodb,
    table=os.environ["IDEMPOTENCY_TABLE"],
    kept=timedelta(days=int(os.environ["REMEMBERED_DAYS"])),
)
MAIL_SENDER: Final = os.environ["MAIL_SENDER"]
read = events.event_parser(*DETAIL_TYPES.values())


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, bool]:
    """Send the email for the event, unless an earlier delivery of the same event has sent it."""
    detail = read(event)
    event_id = detail["event_id"]
    correlate(detail["order"]["order_id"])
    logger.append_keys(order_id=detail["order"]["order_id"], event_id=event_id, status=detail["order"]["status"])
    now = utc_now()
    claim = claims.take(event_id, now=now, until=now + timedelta(milliseconds=context.get_remaining_time_in_millis()))
    if claim is None:
        logger.info("email was already handled")
        return {"sent": False}
    try:
        sent = _notify(detail)
    except Exception:
        _release(event_id, claim)
        raise
    _finish(event_id, claim)
    return {"sent": sent}


def _notify(detail: Detail) -> bool:
    """Send the email to the customer of the order. Return False without a profile whose address is verified."""
    user = users.recipient(detail["order"]["user_id"])
    if user is None:
        count_event("MailSkipped")
        logger.info("email skipped: no profile with a verified address")
        return False
    _send(email_about(detail["order"], user), user["email"])
    count_event("MailSent")
    logger.info("email sent")
    return True


def _release(event_id: str, claim: str) -> None:
    """Release the claim, so that Lambda's retry can send the email. Log an error of DynamoDB instead of raising it."""
    try:
        claims.release(event_id, claim)
    except (BotoCoreError, ClientError):
        logger.warning("claim not released", exc_info=True)


def _finish(event_id: str, claim: str) -> None:
    """Mark the email as DONE. An error is only logged, because raising it would make Lambda send the email again."""
    try:
        claims.finish(event_id, claim)
    except (BotoCoreError, ClientError):
        logger.exception("email not marked as sent")


def _send(email: Email, recipient: str) -> None:
    """Send the email. Raises MailRefused if SES refuses it, so that Lambda retries the event."""
    try:
        ses.send_email(
            FromEmailAddress=MAIL_SENDER,
            Destination={"ToAddresses": [recipient]},
            Content={
                "Simple": {
                    "Subject": {"Data": email.subject, "Charset": "UTF-8"},
                    "Body": {"Text": {"Data": email.text, "Charset": "UTF-8"}},
                }
            },
        )
    except ClientError as error:
        code = aws.error_code(error)
    else:
        return
    # This error is raised outside of `except`. Inside, SES's error would be chained to it, and the log would show SES's
    # message, which contains the recipient.
    logger.warning("email refused", code=code)
    raise MailRefused(f"email: SES returned {code}")
