"""Pieces of API Gateway's mapping templates (Velocity) that more than one part of the REST API uses."""

from __future__ import annotations

import json
from typing import Final

JSON: Final = "application/json"


def escaped(expression: str) -> str:
    r"""Return the Velocity expression for the value of `expression` as it stands inside a JSON string.

    escapeJavaScript also writes ' as \', which JSON does not know; AWS's mapping template reference says to undo it.
    Velocity takes no escapes in its literals, so Java sees the regular expression \\' as it stands here.
    """
    return rf"""$util.escapeJavaScript({expression}).replaceAll("\\'","'")"""


def header_value(variable: str, header: str) -> str:
    """Return the template lines that set `$variable` to the request header's value, "" without the header.

    `$has_variable` says whether the header is there: one that is there may be empty.

    API Gateway finds headers by case, and HTTP/2 clients send them in lower case, so each name is compared.
    """
    return "\n".join(
        (
            f"#set(${variable} = '')",
            f"#set($has_{variable} = false)",
            "#foreach($name in $input.params().header.keySet())",
            f"#if($name.matches('(?i){header}'))",
            f"#set(${variable} = $input.params().header.get($name))",
            f"#set($has_{variable} = true)",
            "#end",
            "#end",
        )
    )


def error_body(code: str, message: str) -> str:
    """Return the API's one error body for a fixed code and message."""
    return _error(json.dumps(code), json.dumps(message))


def error_body_of(code: str, message: str) -> str:
    """Return the same with two Velocity references, whose values may stand inside a JSON string."""
    return _error(f'"{code}"', f'"{message}"')


def error_body_quoting(code: str, message: str) -> str:
    """Return the same with a reference that brings its own quotes, such as `$context.error.messageString`."""
    return _error(json.dumps(code), message)


def _error(code: str, message: str) -> str:
    return f'{{"code": {code}, "message": {message}, "request_id": "$context.requestId"}}'
