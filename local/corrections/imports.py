"""What the imports of OpenAPI documents share: they know a part of OpenAPI, and refuse everything else."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

EXTENSION: Final = "x-amazon-apigateway"


class RefusedError(Exception):
    """A document that AWS would refuse, or import otherwise than it is meant, or that is not known here."""


def accepted(read: Callable[[], Any], check: Callable[[Any], None]) -> Any:
    """Return the document that `read` finds if `check` accepts it. Raises RefusedError."""
    try:
        document = read()
        check(document)
    except ValueError as error:
        raise RefusedError(f"not JSON: {error}") from None
    except LookupError as error:
        raise RefusedError(f"the document lacks {error}") from None
    return document


def only(given: Mapping[str, Any], allowed: tuple[str, ...], where: str) -> None:
    """Raise RefusedError if `given` has keys that are not allowed."""
    if unknown := sorted(set(given) - set(allowed)):
        raise RefusedError(f"{where} has {', '.join(unknown)}, which API Gateway ignores or the local import lacks")


def check_info(document: Mapping[str, Any]) -> None:
    """Raise RefusedError unless the document says what the API is called, and nothing unknown about it."""
    only(document["info"], ("title", "version", "description"), "info")
    if lacking := sorted({"title", "version"} - set(document["info"])):
        raise RefusedError(f"info lacks {', '.join(lacking)}")


def made(answer: Any) -> Any:
    """Return what one of the emulator's own calls made. Raises RuntimeError if it refused."""
    status, _, body = answer
    if status >= 400:  # noqa: PLR2004
        raise RuntimeError(f"import of an API: {body}")
    return json.loads(body)
