"""Policies can tell apart whose events are put: the condition keys events:source and events:detail-type.

The emulator does not know them, so it would refuse every PutEvents that a policy limits by them.
"""

from __future__ import annotations

import contextvars
import json
from collections.abc import Mapping
from typing import Any

from local.corrections import replaces

_ACTION = "events:PutEvents"
_entries: contextvars.ContextVar[tuple[tuple[str, str], ...]] = contextvars.ContextVar("put_events", default=())


@replaces("core.iam_actions.request_tag_context", "d46adb816e02")
def request_tag_context(original: Any, service: str, iam_action: str, body: bytes, parameters: Any) -> Any:
    """Remember what is put: the emulator asks for the tags of a request just before it authorizes it."""
    if iam_action == _ACTION:
        try:
            entries: list[Mapping[str, Any]] = json.loads(body)["Entries"]
            kinds = {(str(entry.get("Source", "")), str(entry.get("DetailType", ""))) for entry in entries}
        except (ValueError, LookupError, TypeError, AttributeError):
            kinds = set[tuple[str, str]]()
        _entries.set(tuple(sorted(kinds)))
    return original(service, iam_action, body, parameters)


@replaces("core.iam_evaluator.enforce", "cf64b1ee5b09")
def enforce(original: Any, access_key_id: str, iam_action: str, *arguments: Any, **named: Any) -> Any:
    """Authorize each kind of event that a request puts."""
    if iam_action != _ACTION or not _entries.get():
        return original(access_key_id, iam_action, *arguments, **named)
    context: Mapping[str, Any] = named.pop("service_context", None) or {}
    for source, detail_type in _entries.get():
        keys = {**context, "events:source": source, "events:detail-type": detail_type}
        denied = original(access_key_id, iam_action, *arguments, **named, service_context=keys)
        if denied:
            return denied
    return None
