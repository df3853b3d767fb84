"""Sends the customer an email about each status of an order, one email per event.

The emails about an order are sent in the sequence of its statuses. If the event about an earlier status arrives after
the email about a later status, no email is sent about the earlier status.

Environment variables: USERS_TABLE, IDEMPOTENCY_TABLE, REMEMBERED_DAYS (how long to remember a sent email), MAIL_SENDER,
MAIL_MS (minimum time between two emails, in milliseconds), and those of shared.message_queue.
Event: a batch of messages of the mail queue. The body of a message is an EventBridge event about an order.
Output: the messages that SQS must deliver again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,  # pyright: ignore[reportUnknownVariableType]
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from contracts.orders import DETAIL_TYPES, TRANSITIONS
from send_email import refusals
from send_email.claims import Claims
from send_email.emails import Email, email_about
from send_email.pace import Pace
from shared import aws, events
from shared.domain.orders import Order
from shared.domain.times import utc_now
from shared.errors import MailDelayed, MailRefused, ValidationError
from shared.events import Detail
from shared.message_queue import MessageQueue
from shared.telemetry import correlate, count_event, logger, metrics, tracer
from shared.user_store import UserStore

if TYPE_CHECKING:
    import logging

    from mypy_boto3_sesv2 import SESV2Client

dynamodb = aws.client("dynamodb")
# The SDK makes only one attempt, because a retry by the SDK would ignore the send rate. After an error, the message
# returns to the queue, and a later delivery tries again.
ses: SESV2Client = aws.client("sesv2", read_timeout_s=5, attempts=1, silent_errors=True)
users = UserStore(dynamodb, table=os.environ["USERS_TABLE"])
claims = Claims(
    dynamodb,
    table=os.environ["IDEMPOTENCY_TABLE"],
    kept=timedelta(days=int(os.environ["REMEMBERED_DAYS"])),
)
MAIL_SENDER: Final = os.environ["MAIL_SENDER"]
read = events.event_parser(*DETAIL_TYPES.values())
processor = BatchProcessor(EventType.SQS, logger=cast("logging.Logger", logger))
queue = MessageQueue.of_environment(
    aws.client("sqs"), is_final=lambda error: isinstance(error, (MailRefused, ValidationError))
)
pace = Pace(int(os.environ["MAIL_MS"]) / 1000)
# Time in milliseconds that is reserved for one email. The call to SES ends after at most 5.5 s, and the calls to
# DynamoDB usually take a few milliseconds.
_LONGEST_MAIL_MS: Final = 8_000
_KEYS: Final = ("order_id", "event_id", "status")


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse | None:
    """Send the email for each message of a batch, unless an earlier delivery of the event has already sent it."""
    if "Records" not in event:
        # In release 0.1.0, the EventBridge rule invoked this function directly, without a queue. During an update from
        # that release, a direct invocation can still arrive, and Lambda can retry it after the update. The function
        # sends the event of a direct invocation to the queue.
        queue.send(json.dumps(event, ensure_ascii=False))
        return None
    first = event["Records"][0]["messageId"]
    return process_partial_response(
        event=event,
        record_handler=partial(handle, context=context, first=first),
        processor=processor,
        context=context,
    )


def handle(record: SQSRecord, *, context: LambdaContext, first: str) -> None:
    """Send the email for the event in a message. Raises an error if SQS must deliver the message again.

    `record` is the message. Powertools requires this parameter name. `first` is the id of the batch's first message.
    Only for this message, the function does not check whether enough time is left.
    """
    logger.remove_keys(_KEYS)
    logger.set_correlation_id(None)
    with queue.handling(record):
        # If Lambda ended the invocation during a call to SES, the email could be sent twice. The function therefore
        # starts no further email shortly before its time limit.
        if record.message_id != first and context.get_remaining_time_in_millis() < _LONGEST_MAIL_MS:
            raise MailDelayed("email: the invocation has too little time left for another email")
        _mail(_detail_of(record.body), context)


def _detail_of(body: str) -> Detail:
    """Return the detail of the event in a message's body. Raises ValidationError if the event violates its contract."""
    try:
        return read(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise ValidationError(f"body: not valid JSON ({type(error).__name__}); send an event about an order") from error


def _mail(detail: Detail, context: LambdaContext) -> None:
    """Send the email about an event, unless this email or one about a later status of the order was already sent."""
    order, event_id = detail["order"], detail["event_id"]
    correlate(order["order_id"])
    logger.append_keys(order_id=order["order_id"], event_id=event_id, status=order["status"])
    now = utc_now()
    for earlier_id in _earlier_events(order):
        claims.close(earlier_id, now=now)
    claim = claims.take(event_id, now=now, until=now + timedelta(milliseconds=context.get_remaining_time_in_millis()))
    if claim is None:
        logger.info("email was already handled")
        return
    try:
        _notify(detail)
    except Exception:
        _release(event_id, claim)
        raise
    _finish(event_id, claim)


def _earlier_events(order: Order) -> Iterator[str]:
    """Yield the ids of the events about the order's earlier statuses."""
    for status, following in TRANSITIONS.items():
        # An order gets its total when it is confirmed. If a cancelled order has no total, it was cancelled while it was
        # PENDING, so it has no event about CONFIRMED.
        if order["status"] in following and (status == "PENDING" or "total" in order):
            yield f"{order['order_id']}:{status}"


def _notify(detail: Detail) -> None:
    """Send the email to the customer of the order, if the customer has a profile whose address is verified."""
    user = users.recipient(detail["order"]["user_id"])
    if user is None:
        count_event("MailSkipped")
        logger.info("email skipped: no profile with a verified address")
        return
    _send(email_about(detail["order"], user), user["email"])
    count_event("MailSent")
    logger.info("email sent")


def _release(event_id: str, claim: str) -> None:
    """Release the claim, so that the next delivery can send the email. An error of DynamoDB is only logged."""
    try:
        claims.release(event_id, claim)
    except (BotoCoreError, ClientError):
        logger.warning("claim not released", exc_info=True)


def _finish(event_id: str, claim: str) -> None:
    """Mark the email as DONE. An error is only logged, because raising it would make SQS deliver the message again."""
    try:
        claims.finish(event_id, claim)
    except (BotoCoreError, ClientError):
        logger.exception("email not marked as sent")


def _send(email: Email, recipient: str) -> None:
    """Send the email. Raises MailRefused after a final error of SES, and MailDelayed after any other error of SES."""
    pace.wait()
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
    # Raise the error outside of `except`. Inside `except`, Python would chain SES's error to the new error, and the log
    # would show both.
    is_final = refusals.is_final(code)
    logger.warning("email not accepted", code=code, final=is_final)
    if not is_final:
        pace.shift()
    raise (MailRefused if is_final else MailDelayed)(f"email: SES returned {code}")
