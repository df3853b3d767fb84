"""Rewrites AWS's public URLs in the stack outputs to the emulator's URLs."""

from __future__ import annotations

import re
from typing import Any

from local.instance import Instance


def localize(exports: Any, instance: Instance) -> Any:
    """Return `exports` with the emulator's URLs for the sign-in pages and for the public keys that verify tokens.

    The issuer stays unchanged, because clients compare it with the issuer in a token.
    """
    if isinstance(exports, dict):
        return {key: localize(value, instance) for key, value in exports.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(exports, list):
        return [localize(value, instance) for value in exports]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(exports, str):
        return exports
    text = re.sub(r"https://[a-z0-9-]+\.auth\.[a-z0-9-]+\.amazoncognito\.com", instance.url, exports)
    return re.sub(r"https://cognito-idp\.[a-z0-9-]+\.amazonaws\.com(/[^/]+/\.well-known/)", rf"{instance.url}\1", text)
