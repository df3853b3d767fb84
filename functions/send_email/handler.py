"""Tells the owner of an order what became of it: one mail for each event.

Environment: USERS_TABLE, IDEMPOTENCY_TABLE, REMEMBERED_DAYS (how long a sent mail is remembered), MAIL_SENDER. Event:
any of the bus. Output: {"sent": bool}, whether this invocation sent it. Raises ValidationError for an event outside of
the contracts.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from send_email.claims import Claims
from send_email.mails import Mail, mail_about
from shared import aws, events
from shared.domain.times import utc_now
from shared.errors import MailRefused
from shared.events import DETAIL_TYPES, Detail
from shared.telemetry import count, follow, logger, metrics, tracer
from shared.user_store import UserStore

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

dynamodb = aws.client("dynamodb")
mails: SESV2Client = aws.client("sesv2", read_timeout_s=5, silent_errors=True)
users = UserStore(dynamodb, table=os.environ["USERS_TABLE"])
claims = Claims(
    dynamodb,
    table=os.environ["IDEMPOTENCY_TABLE"],
    kept=timedelta(days=int(os.environ["REMEMBERED_DAYS"])),
)
MAIL_SENDER: Final = os.environ["MAIL_SENDER"]
read = events.reader(*DETAIL_TYPES.values())


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, bool]:
    """Send the mail of an event, once however often the event comes."""
    detail = read(event)
    event_id = detail["event_id"]
    follow(detail["order"]["order_id"])
    logger.append_keys(order_id=detail["order"]["order_id"], event_id=event_id, status=detail["order"]["status"])
    now = utc_now()
    claim = claims.take(event_id, now=now, until=now + timedelta(milliseconds=context.get_remaining_time_in_millis()))
    if claim is None:
        logger.info("mail was dealt with before")
        return {"sent": False}
    try:
        sent = _tell(detail)
    except Exception:
        _release(event_id, claim)
        raise
    _finish(event_id, claim)
    return {"sent": sent}


def _tell(detail: Detail) -> bool:
    """Send the event's mail; return False without a profile."""
    user = users.get(detail["order"]["user_id"])
    if user is None:
        count("MailSkipped")
        logger.info("mail skipped: no profile")
        return False
    _send(mail_about(detail["order"], user), user["email"])
    count("MailSent")
    logger.info("mail sent")
    return True


def _release(event_id: str, claim: str) -> None:
    """Let Lambda's next try send it. Without this it could not before this invocation's time limit."""
    try:
        claims.release(event_id, claim)
    except (BotoCoreError, ClientError):
        logger.warning("claim not released", exc_info=True)


def _finish(event_id: str, claim: str) -> None:
    """Note that it is sent. An error here would only make Lambda send it again."""
    try:
        claims.finish(event_id, claim)
    except (BotoCoreError, ClientError):
        logger.exception("mail not noted as sent")


def _send(mail: Mail, recipient: str) -> None:
    """Raise MailRefused if SES refuses; the failure queue then has the event."""
    try:
        mails.send_email(
            FromEmailAddress=MAIL_SENDER,
            Destination={"ToAddresses": [recipient]},
            Content={
                "Simple": {
                    "Subject": {"Data": mail.subject, "Charset": "UTF-8"},
                    "Body": {"Text": {"Data": mail.text, "Charset": "UTF-8"}},
                }
            },
        )
    except ClientError as error:
        code = aws.error_code(error)
    else:
        return
    # Outside of `except`: SES's message names the recipient, and a chained one would be logged with it.
    logger.warning("mail refused", code=code)
    raise MailRefused(f"mail: SES answered {code}")
