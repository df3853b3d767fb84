"""Shortens the ARNs in a comment: leaves out the account and the region that all resources of a stack share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tools.preview_comment.preview import Change

_ARN: Final = re.compile(r"arn:aws[a-z-]*:(?P<service>[a-z0-9-]*):(?P<region>[^:]*):(?P<account>[^:]*):(?P<rest>.*)")
# How the pull request comment names the type of a resource. Each key is the beginning of the resource's short name
# (`service:rest` of its ARN).
_KINDS: Final[Mapping[str, str]] = {
    "dynamodb:table/": "the table",
    "lambda:function:": "the function",
    "logs:log-group:": "the log group",
    "sqs:": "the queue",
    "sns:": "the topic",
    "s3:": "the bucket",
    "states:stateMachine:": "the state machine",
    "events:event-bus/": "the event bus",
    "kms:key/": "the key",
    "ses:identity/": "the SES identity",
}
# How the pull request comment describes a part of a resource, for example the index of a table. Each entry is (pattern
# of the part's short name, description).
_PARTS: Final = (
    (re.compile(r"dynamodb:table/([^/]+)/(index|stream)/(.+)"), r"the \2 `\3` of the table `\1`"),
    (re.compile(r"lambda:function:([^:]+):([^:]+)"), r"the alias `\2` of the function `\1`"),
    (re.compile(r"logs:log-group:([^:]+):log-stream:\*"), r"every log stream of the log group `\1`"),
    (re.compile(r"logs:\*"), r"every CloudWatch Logs resource of the account and region"),
    (re.compile(r"s3:([^/]+)/(.+)"), r"the objects `\2` of the bucket `\1`"),
)
_PLACE: Final = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):")


@dataclass(frozen=True)
class Place:
    """An account and a region."""

    account: str = ""
    region: str = ""

    def short(self, arn: str) -> str:
        """Return `service:rest` of `arn`. Include the ARN's region or account only if it differs from this object's."""
        found = _ARN.fullmatch(arn)
        if not found:
            return arn
        region, account = found["region"], found["account"]
        elsewhere = [part for part in (region, account) if part not in ("", self.region, self.account)]
        return ":".join([found["service"], *elsewhere, found["rest"]])


def place_of(changes: Iterable[Change]) -> Place:
    """Return the account and the region that most ARNs in the inputs of a stack have."""
    texts = (str(inputs) for change in changes for inputs in (change.old, change.new) if inputs)
    found = Counter((match["account"], match["region"]) for text in texts for match in _PLACE.finditer(text))
    return Place(*found.most_common(1)[0][0]) if found else Place()


def phrase(short: str) -> str:
    """Return how the comment names the resource `short`, for example `the table `orders-dev-orders``."""
    if short == "*":
        return "**every resource** (`*`)"
    for part, said in _PARTS:
        if part.fullmatch(short):
            return part.sub(said, short)
    for beginning, kind in _KINDS.items():
        if short == f"{beginning}*":
            return f"{kind.replace('the', 'every', 1)} (`*`)"
        if short.startswith(beginning):
            return f"{kind} `{short.removeprefix(beginning).strip(':')}`"
    return short if "`" in short else f"`{short}`"
