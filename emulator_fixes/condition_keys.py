"""Policies can limit the source of events and the sender of emails by IAM condition keys.

Emulator: The emulator does not evaluate the condition keys events:source, events:detail-type and ses:FromAddress, and
    does not find out which SES identity sends an email. It therefore denies every request for which a policy requires a
    value of these keys.
AWS: EventBridge and SES provide these condition keys, so a policy can allow only requests with certain values.
Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
Source: https://docs.aws.amazon.com/ses/latest/dg/control-user-access.html
Upstream: report as a bug.
"""

from __future__ import annotations

import contextvars
import json
from collections.abc import Mapping
from email.utils import parseaddr
from typing import Any, Final

from emulator_fixes import internal, nested, replaces

_mail: Any = internal("services.ses_v2")
_PUT_EVENTS: Final = "events:PutEvents"
_SEND_MAIL: Final = ("ses:SendEmail", "ses:SendRawEmail")
# The condition keys of the current request. A request that sends an email has one set of keys. A PutEvents request has
# one set for each pair of source and detail type. The policy must allow the request with every set.
_keys: contextvars.ContextVar[tuple[Mapping[str, str], ...]] = contextvars.ContextVar("condition_keys", default=())


@replaces("core.iam_actions.request_tag_context", "d46adb816e02")
def request_tag_context(original: Any, service: str, iam_action: str, body: bytes, parameters: Any) -> Any:
    """Remember the source and detail type of each event before the emulator authorizes the request."""
    if iam_action == _PUT_EVENTS:
        entries: list[Any] = nested(_parsed(body), "Entries") or []
        kinds = {(str(nested(entry, "Source")), str(nested(entry, "DetailType"))) for entry in entries}
        _keys.set(tuple({"events:source": source, "events:detail-type": kind} for source, kind in sorted(kinds)))
    return original(service, iam_action, body, parameters)


@replaces("app._enforce_ses_v2", "5dc09e3bd487")
def enforce_ses(original: Any, method: str, path: str, headers: Any, body: bytes, *arguments: Any) -> Any:
    """Remember the sender's address and display name before the emulator authorizes the email."""
    name, address = parseaddr(str(nested(_parsed(body), "FromEmailAddress") or ""))
    _keys.set(({"ses:fromaddress": address, "ses:fromdisplayname": name},))
    return original(method, path, headers, body, *arguments)


@replaces("core.iam_actions._ses_v2_resource_arn", "96f8ace790be")
def mail_resource(original: Any, method: str, path: str, body: bytes, region: str, account: str) -> str:
    """Return the ARN of the SES identity that sends an email: the address if it is verified, otherwise its domain."""
    if method != "POST" or not path.endswith("/outbound-emails"):
        return original(method, path, body, region, account)
    address = parseaddr(str(nested(_parsed(body), "FromEmailAddress") or ""))[1]
    identity = address if address in _mail._identities else address.rpartition("@")[2]
    return f"arn:aws:ses:{region}:{account}:identity/{identity}"


@replaces("core.iam_evaluator.enforce", "cf64b1ee5b09")
def enforce(original: Any, access_key_id: str, iam_action: str, *arguments: Any, **named: Any) -> Any:
    """Authorize a request with the remembered values of the condition keys.

    A request with several events is authorized once for the values of each event, and is denied if one event is denied.
    """
    if iam_action not in (_PUT_EVENTS, *_SEND_MAIL) or not _keys.get():
        return original(access_key_id, iam_action, *arguments, **named)
    context: Mapping[str, Any] = named.pop("service_context", None) or {}
    for keys in _keys.get():
        denied = original(access_key_id, iam_action, *arguments, **named, service_context={**context, **keys})
        if denied:
            return denied
    return None


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body or b"{}")
    except ValueError:
        return {}
