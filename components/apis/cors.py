"""CORS rules of both APIs: the allowed origins, request headers and response headers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from components.apis.mapping_templates import render
from contracts.orders import EXPOSED_HEADERS

ALLOWED_HEADERS: Final = ("Authorization", "Content-Type", "Idempotency-Key")
# The time in seconds for which a browser may cache the response to a preflight request. Chrome's maximum is two hours.
MAX_AGE_S: Final = 3600
ALLOW_ORIGIN: Final = "Access-Control-Allow-Origin"

# Mapping templates and headers contain each origin between quotes. A quote or a special character of Velocity in an
# origin would break the template or the header, so this pattern excludes these characters.
_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+")


@dataclass(frozen=True)
class CorsRules:
    """The origins that may call an API from a browser.

    Raises ValueError if there is no origin, or if an origin contains a path or a wildcard.
    """

    origins: tuple[str, ...]
    """Origins: scheme, host and optional port, without a path. The first one is the main origin."""

    def __post_init__(self) -> None:
        wrong = [origin for origin in self.origins if not _ORIGIN.fullmatch(origin)]
        if wrong or not self.origins:
            raise ValueError(
                f"CORS origins: got {wrong or 'none'}; allowed: one or more exact origins such as https://example.com"
            )

    @property
    def answer_headers(self) -> dict[str, str]:
        """Return the CORS headers that every response carries.

        If the API allows exactly one origin, these headers include `Access-Control-Allow-Origin`. With several origins,
        the value of this header depends on the request, so `origin_template` sets the header instead.
        """
        fixed = {"Access-Control-Expose-Headers": ",".join(EXPOSED_HEADERS), "Vary": "Origin"}
        return {ALLOW_ORIGIN: self.origins[0], **fixed} if len(self.origins) == 1 else fixed

    def preflight_headers(self, methods: Iterable[str]) -> dict[str, str]:
        """Return the CORS headers of the response to a preflight request for a path that supports `methods`."""
        headers = {name: value for name, value in self.answer_headers.items() if "Expose" not in name}
        return {
            **headers,
            "Access-Control-Allow-Methods": ",".join([*sorted(methods), "OPTIONS"]),
            "Access-Control-Allow-Headers": ",".join(ALLOWED_HEADERS),
            "Access-Control-Max-Age": str(MAX_AGE_S),
        }

    @property
    def gateway_response_headers(self) -> dict[str, str]:
        """Return the CORS headers of the errors that API Gateway generates itself.

        These headers cannot depend on the request, so they always allow the main origin, the first of `origins`. A
        browser hides the errors from pages of the other origins: these pages see a failed request without a status.
        """
        return {ALLOW_ORIGIN: self.origins[0], **self.answer_headers}

    @property
    def origin_template(self) -> str:
        """Return the mapping template that allows the request's origin if `origins` contains this origin.

        Return "" if the API allows only one origin, because the fixed headers of the response already allow that
        origin.
        """
        if len(self.origins) == 1:
            return ""
        is_allowed = " || ".join(f"$origin == '{origin}'" for origin in self.origins)
        return render("origin", is_allowed=is_allowed) + "\n"
