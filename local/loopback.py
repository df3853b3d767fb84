"""HTTP requests to the emulator. The requests use no proxy: urllib3 ignores proxies in environment variables."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from local.errors import LocalError
from local.instance import instance

_OK: Final = 200
_POOL: Final = urllib3.PoolManager(retries=False)


class NoAnswerError(LocalError):
    """The request got no HTTP response, or a response whose status is not 200."""


def send(pool: urllib3.PoolManager, method: str, url: str, **options: Any) -> urllib3.BaseHTTPResponse:
    """Send one request without following redirects. Raises NoAnswerError."""
    try:
        return pool.request(method, url, redirect=False, **options)
    except (HTTPError, OSError) as error:
        raise NoAnswerError(no_answer(url, error)) from error


def get(url: str, *, limit_s: float) -> bytes:
    """Return the response body of `url`. Raises NoAnswerError after `limit_s` seconds, or if the status is not 200."""
    answer = send(_POOL, "GET", url, timeout=limit_s)
    if answer.status != _OK:
        raise NoAnswerError(f"{url}: got status {answer.status}; expected: {_OK}. Remedy: {_look(url)}")
    return answer.data


def no_answer(url: str, why: object) -> str:
    """Return the error message for a request to `url` that got no response."""
    # The message omits the query, because a query may contain secrets, and people copy error messages into public
    # reports.
    return f"{url.partition('?')[0]}: no response ({why}). Remedy: {_look(url)}"


def _look(url: str) -> str:
    port = urlsplit(url).port
    if port is None:
        return "check this machine's network"
    where = instance(port)
    return f"`{where.command('status')}` shows whether the emulator runs, `{where.command('up')}` starts it"
