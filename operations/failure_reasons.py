"""Why a message lies in its failure queue, where the message itself does not say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from botocore.exceptions import BotoCoreError, ClientError

from operations.failed_messages import Message

_LONGEST: Final = 200
# A stream keeps its records, and so their failures are no older.
_KEPT_S: Final = 24 * 3600
# A page may be empty though more follow (FilterLogEvents): what is searched is bounded by time, and by this.
_PAGES: Final = 20


@dataclass(frozen=True, kw_only=True)
class Reasons:
    """Finds reasons: in the message, or in the log of the function that could not do it."""

    logs: Any
    """CloudWatch Logs."""
    groups: Mapping[str, str]
    """Stack output `ops.logGroups`."""

    def of(self, message: Message) -> str:
        """Return why `message` failed; of stream records, which come without their error, what the log says."""
        number = message.first_sequence_number
        function = message.queue.redrive_to.split(":")[6] if number else ""
        group = next((name for name in self.groups.values() if name.rpartition("/")[2] == function), "")
        if not group:
            return message.reason
        try:
            found = self._logged(group, number, until_s=message.sent_at_s)
        except (ClientError, BotoCoreError) as error:
            found = f"{group} cannot be read: {error}"
        return f"{message.reason}: {found or f'see sequence_number {number} in {group}'}"

    def _logged(self, group: str, number: str, *, until_s: float) -> str:
        """Return what `group` has of a sequence number: the last line of an exception or AWS's codes, else nothing."""
        token: dict[str, str] = {}
        for _ in range(_PAGES):
            page = self.logs.filter_log_events(
                logGroupName=group,
                filterPattern=f'"{number}"',
                startTime=int((until_s - _KEPT_S) * 1000),
                endTime=int((until_s + 1) * 1000),
                **token,
            )
            for event in page["events"]:
                line = _object(event["message"])
                if why := line.get("exception") or line.get("codes"):
                    return str(why).strip().rpartition("\n")[2][:_LONGEST]
            if not page.get("nextToken"):
                break
            token = {"nextToken": page["nextToken"]}
        return ""


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
