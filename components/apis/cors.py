"""Cross-origin rules of both APIs: exact origins, and what a page may send to them and read from them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from components.apis.mapping_templates import render

ALLOWED_HEADERS: Final = ("Authorization", "Content-Type", "Idempotency-Key")
EXPOSED_HEADERS: Final = ("Location", "x-amzn-requestid")
# The time in seconds for which a browser may cache the response to a preflight request. Chrome caches it for two hours
# at most.
MAX_AGE_S: Final = 3600
ALLOW_ORIGIN: Final = "Access-Control-Allow-Origin"

# Templates and headers put each origin between quotes. The pattern therefore excludes quotes and the special characters
# of Velocity.
_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+")


@dataclass(frozen=True)
class CorsRules:
    """Who may call a REST API from a browser. Raises ValueError unless each entry is an exact origin."""

    origins: tuple[str, ...]
    """Scheme, host and port, without path; the first is the main one."""

    def __post_init__(self) -> None:
        wrong = [origin for origin in self.origins if not _ORIGIN.fullmatch(origin)]
        if wrong or not self.origins:
            raise ValueError(f"CORS origins: got {wrong or 'none'}; allowed: exact origins such as https://example.com")

    @property
    def answer_headers(self) -> dict[str, str]:
        """Return the fixed headers of an answer. The origin is one of them only where there is no choice."""
        fixed = {"Access-Control-Expose-Headers": ",".join(EXPOSED_HEADERS), "Vary": "Origin"}
        return {ALLOW_ORIGIN: self.origins[0], **fixed} if len(self.origins) == 1 else fixed

    def preflight_headers(self, methods: Iterable[str]) -> dict[str, str]:
        """Return the fixed headers of the answer to a preflight request for a path with these methods."""
        headers = {name: value for name, value in self.answer_headers.items() if "Expose" not in name}
        return {
            **headers,
            "Access-Control-Allow-Methods": ",".join([*sorted(methods), "OPTIONS"]),
            "Access-Control-Allow-Headers": ",".join(ALLOWED_HEADERS),
            "Access-Control-Max-Age": str(MAX_AGE_S),
        }

    @property
    def gateway_response_headers(self) -> dict[str, str]:
        """Return the headers of the gateway's own errors.

        A gateway response is not processed by Velocity and cannot choose, so it carries the main origin: pages of the
        other origins see a failed request, not its status.
        """
        return {ALLOW_ORIGIN: self.origins[0], **self.answer_headers}

    @property
    def origin_template(self) -> str:
        """Return the template lines that answer with the request's own origin if it is allowed; "" with one origin."""
        if len(self.origins) == 1:
            return ""
        is_allowed = " || ".join(f"$origin == '{origin}'" for origin in self.origins)
        return render("origin", is_allowed=is_allowed) + "\n"
