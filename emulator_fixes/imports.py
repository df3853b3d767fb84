"""Functions that http_import.py and rest_import.py share: checks that refuse unsupported parts of OpenAPI documents."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

EXTENSION: Final = "x-amazon-apigateway"


class RefusedError(Exception):
    """A document that AWS would refuse or import with another meaning, or that is not supported locally."""


def accepted(read: Callable[[], Any], check: Callable[[Any], None]) -> Any:
    """Return the document that `read` returns, after `check` has accepted it.

    Raises RefusedError if the document is not JSON or lacks a required key, or if `check` refuses it.
    """
    try:
        document = read()
        check(document)
    except ValueError as error:
        raise RefusedError(f"not JSON: {error}") from None
    except LookupError as error:
        raise RefusedError(f"the document lacks {error}") from None
    return document


def only(given: Mapping[str, Any], allowed: tuple[str, ...], where: str) -> None:
    """Raise RefusedError if `given` has keys that are not in `allowed`. The message starts with `where`."""
    if unknown := sorted(set(given) - set(allowed)):
        raise RefusedError(
            f"{where} has {', '.join(unknown)}, which API Gateway ignores or the local import does not support"
        )


def check_info(document: Mapping[str, Any]) -> None:
    """Raise RefusedError if the document's `info` has no title or version, or has unknown keys."""
    only(document["info"], ("title", "version", "description"), "info")
    if lacking := sorted({"title", "version"} - set(document["info"])):
        raise RefusedError(f"info lacks {', '.join(lacking)}")


def made(answer: Any) -> Any:
    """Return the JSON body of `answer`, the emulator's response to a call that creates a part of the API.

    Raises RuntimeError if the response is an error.
    """
    status, _, body = answer
    if status >= 400:  # noqa: PLR2004
        raise RuntimeError(f"the emulator refused a part of the imported API: {body}")
    return json.loads(body)
