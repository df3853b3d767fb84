"""Starts Chromium for tests. The browser can connect only to this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Playwright

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_LOOPBACK: Final = ("localhost", "127.0.0.1")
WITHIN_MS: Final = 60_000
"""Time limit in milliseconds of one step in the browser. It is long, because a busy machine makes everything slow."""


def path() -> str | None:
    """Return the path of Chromium if it is on the PATH, otherwise None."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def launched(playwright: Playwright, addresses: Mapping[str, str]) -> Generator[Browser]:
    """Start Chromium, and end it at the end of the block.

    `addresses` maps the `HOST:PORT` in a URL to the `HOST:PORT` to which Chromium connects. A page can therefore have
    the origin http://localhost:3000 even if another program on this machine uses port 3000. Chromium resolves no other
    names.
    """
    rules = [f"MAP {name} {target}" for name, target in addresses.items()]
    # Chromium applies the first MAP rule that matches, so the rules for `addresses` come first. Do not use
    # `EXCLUDE localhost` for this machine: Chromium applies EXCLUDE rules before all MAP rules, so it would ignore the
    # entries of `addresses` for localhost.
    rules += ["MAP localhost 127.0.0.1", "MAP 127.0.0.1 127.0.0.1", "MAP * ~NOTFOUND"]
    browser = playwright.chromium.launch(
        executable_path=path(),
        # As root, Chromium starts only without its sandbox.
        chromium_sandbox=os.geteuid() != 0,
        args=[f"--host-resolver-rules={','.join(rules)}", "--no-proxy-server"],
    )
    try:
        yield browser
    finally:
        browser.close()


@contextmanager
def profile(browser: Browser) -> Generator[BrowserContext]:
    """Yield a new profile of `browser`. At the end of the block, fail if a page sent a request to another machine."""
    # The emulator's HTTPS port has a self-signed certificate. Accept it, as a person would in the browser's dialog.
    context = browser.new_context(ignore_https_errors=True)
    context.set_default_timeout(WITHIN_MS)
    outside: list[str] = []

    def look(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in _LOOPBACK:
            outside.append(url)

    # Use the event `request` instead of a route handler, because a route handler does not see redirected requests.
    context.on("request", lambda request: look(request.url))
    try:
        yield context
    finally:
        context.close()
    assert outside == [], f"a page sent requests to other machines: {outside}"
