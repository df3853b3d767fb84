"""Finds out why a message is in its failure queue if the message itself does not contain the reason."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from botocore.exceptions import BotoCoreError, ClientError

from operations.failed_messages import Message

_LONGEST: Final = 200
_NAMED: Final = 5
# The search in the log covers the 24 hours before the message was sent. A stream retains a record for only 24 hours, so
# the record cannot have failed earlier.
_KEPT_S: Final = 24 * 3600
# FilterLogEvents can return empty pages although later pages contain events. The search therefore ends only at the last
# page, or after this number of pages.
_PAGES: Final = 20


@dataclass(frozen=True, kw_only=True)
class Reasons:
    """Finds the reason for a failure in the message, or in the log of the function that failed."""

    logs: Any
    """Client of CloudWatch Logs."""
    groups: Mapping[str, str]
    """Log groups of the functions: the stack output `ops.logGroups`."""

    def of(self, message: Message) -> str:
        """Return the reason for the failure of `message`.

        If the message is Lambda's report about failed stream records, add the reasons that the function's log contains.
        """
        first, last = message.sequence_numbers
        function = message.queue.redrive_to.split(":")[6] if first else ""
        group = next((name for name in self.groups.values() if name.rpartition("/")[2] == function), "")
        if not group:
            return message.reason
        try:
            found = self._logged(group, range(int(first), int(last) + 1), until_s=message.sent_at_s)
        except (ClientError, BotoCoreError) as error:
            return f"{message.reason}; log group {group}: could not be read: {error}"
        if not found:
            return f"{message.reason}; search for sequence_number {first} in log group {group}"
        named = [f"{number}: {why}" for number, why in sorted(found.items())[:_NAMED]]
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        return f"{message.reason}: {'; '.join(named)}{more}"

    def _logged(self, group: str, numbers: range, *, until_s: float) -> dict[int, str]:
        """Return {sequence number: reason} of the stream records `numbers`.

        The reasons come from the lines that the log group `group` received before `until_s` (Unix seconds). A reason is
        the last line of an exception, or a list of AWS error codes. Leaves out records whose reason is not in the log.
        """
        found: dict[int, str] = {}
        token: dict[str, str] = {}
        for _ in range(_PAGES):
            page = self.logs.filter_log_events(
                logGroupName=group,
                filterPattern='"sequence_number"',
                startTime=int((until_s - _KEPT_S) * 1000),
                endTime=int((until_s + 1) * 1000),
                **token,
            )
            for event in page["events"]:
                line = _object(event["message"])
                why = line.get("exception") or line.get("codes")
                for number in (line.get("sequence_number"), *line.get("sequence_numbers", ())):
                    if why and number and int(number) in numbers:
                        found[int(number)] = str(why).strip().rpartition("\n")[2][:_LONGEST]
            if not page.get("nextToken"):
                break
            token = {"nextToken": page["nextToken"]}
        return found


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
