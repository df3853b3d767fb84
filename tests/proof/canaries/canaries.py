"""Canaries: unique words that each stand for one kind of data.

The attack searches all output of the platform for them.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import json
import re
import urllib.parse
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, cast

_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{16,}")
_NUMBERS: Final = re.compile(r"\[\s*\d{1,3}(?:\s*,\s*\d{1,3}){7,}\s*\]")
"""A JSON list of bytes, the form in which the X-Ray SDK writes a request's body."""


@dataclass
class Canaries:
    """Creates canaries, which are unique words, and finds them in strings."""

    run: str = field(default_factory=lambda: f"zq{uuid.uuid4().hex[:6]}")
    kinds: dict[str, str] = field(default_factory=dict[str, str])
    """{canary in lower case: kind of data that the canary stands for}"""
    _others: set[str] = field(default_factory=set[str])
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self._ours = re.compile(rf"{self.run}[a-z]+\d+x")

    def new(self, kind: str) -> str:
        """Return a new canary for the given kind of data. A canary consists of lower-case letters and digits."""
        return self.known(f"{self.run}{re.sub('[^a-z]', '', kind)}{next(self._numbers)}x", kind)

    def known(self, word: str, kind: str) -> str:
        """Register `word` as a canary for the given kind of data, and return the word.

        The word can also be one that this class didn't create, for example an order id.
        """
        self.kinds[word.lower()] = kind
        if not word.startswith(self.run):
            self._others.add(word.lower())
        return word

    def within(self, *texts: str) -> set[str]:
        """Return all canaries in the texts.

        The method also finds canaries that are encoded as base64, percent-encoding, JSON escapes or lists of bytes.
        """
        found: set[str] = set()
        for text in texts:
            for form in _forms(text):
                lower = form.lower()
                if self.run in lower:
                    found |= self.kinds.keys() & set(self._ours.findall(lower))
                found |= {word for word in self._others if word in lower}
        return found

    def kinds_within(self, *texts: str) -> set[str]:
        """Return the kinds of data that the texts contain."""
        return {self.kinds[word] for word in self.within(*texts)}


def text_of(value: Any) -> str:
    """Return a value from an AWS response as text."""
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


def _forms(text: str) -> Iterator[str]:
    """Yield the text itself, and the decoded form of each encoded part."""
    yield text
    if "%" in text:
        yield urllib.parse.unquote(text)
    if "\\u" in text:
        yield re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    for numbers in _NUMBERS.findall(text):
        values = cast("list[int]", json.loads(numbers))
        if max(values) < 256:
            yield bytes(values).decode(errors="replace")
    for run in _BASE64.findall(text):
        for alphabet in (base64.b64decode, base64.urlsafe_b64decode):
            try:
                yield alphabet(run + "=" * (-len(run) % 4)).decode(errors="replace")
            except (binascii.Error, ValueError):
                continue
