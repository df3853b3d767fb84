"""Tells the owner of an order what became of it: one mail for each event.

Environment: USERS_TABLE, IDEMPOTENCY_TABLE, MAIL_SENDER. Event: any of the bus. Output: {"sent": bool}.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError

from send_email.mails import Mail, mail_about
from shared import aws
from shared.errors import MailRefused
from shared.events import Detail
from shared.telemetry import count, follow, logger, metrics, tracer
from shared.user_store import UserStore

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

dynamodb = aws.client("dynamodb")
mails: SESV2Client = aws.client("sesv2", read_timeout_s=5)
users = UserStore(dynamodb, table=os.environ["USERS_TABLE"])
MAIL_SENDER: Final = os.environ["MAIL_SENDER"]
# Longer than the archive and any queue keep an event, so that neither a replay nor a redrive sends it again.
once = IdempotencyConfig(
    event_key_jmespath="event_id",
    raise_on_no_idempotency_key=True,
    expires_after_seconds=int(timedelta(days=120).total_seconds()),
)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, bool]:
    """Send the mail of an event, once however often the event comes."""
    detail: Detail = event["detail"]
    follow(detail["order"]["order_id"])
    logger.append_keys(
        order_id=detail["order"]["order_id"], event_id=detail["event_id"], status=detail["order"]["status"]
    )
    # Lets a record outlive its invocation's death only until that invocation's time limit.
    once.register_lambda_context(context)
    return tell(detail=detail)


@idempotent_function(
    data_keyword_argument="detail",
    config=once,
    persistence_store=DynamoDBPersistenceLayer(os.environ["IDEMPOTENCY_TABLE"], boto3_client=dynamodb),
    key_prefix="send_email",
)
def tell(*, detail: Detail) -> dict[str, bool]:
    """Send the event's mail, or none without a profile. The result is stored, so it holds nothing personal."""
    user = users.get(detail["order"]["user_id"])
    if user is None:
        count("MailSkipped")
        logger.info("mail skipped: no profile")
        return {"sent": False}
    _send(mail_about(detail["order"], user), user["email"])
    count("MailSent")
    logger.info("mail sent")
    return {"sent": True}


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
