"""API Gateway's mapping templates: the Velocity files in components/apis/templates/, filled in.

A placeholder is `${name}`. The templates write Velocity's own references without braces, so the two differ.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

JSON: Final = "application/json"
TEMPLATES: Final = Path(__file__).resolve().parent / "templates"
_PLACEHOLDER: Final = re.compile(r"\$\{([^}]*)\}")
# Comments of the template files are removed, so that a changed comment causes no deployment.
_COMMENT: Final = re.compile(r"^##.*\n", re.MULTILINE)


def render(name: str, **values: object) -> str:
    """Return `components/apis/templates/{name}.vtl` with `values` in place of its placeholders, without its comments.

    Raises ValueError if a placeholder has no value or a value no placeholder.
    """
    text = _COMMENT.sub("", (TEMPLATES / f"{name}.vtl").read_text(encoding="utf-8"))
    wanted = set(_PLACEHOLDER.findall(text))
    if wanted != set(values):
        raise ValueError(
            f"components/apis/templates/{name}.vtl: missing {sorted(wanted - set(values))}, unused "
            f"{sorted(set(values) - wanted)}; give one value for each ${{name}}"
        )
    return _PLACEHOLDER.sub(lambda found: str(values[found[1]]), text).rstrip("\n")


def error_body(code: str, message: str) -> str:
    """Return the API's one error body for a fixed code and message."""
    return render("error", code=json.dumps(code), message=json.dumps(message))


def error_body_quoting(code: str, message: str) -> str:
    """Return the same with a reference that brings its own quotes, such as `$context.error.messageString`."""
    return render("error", code=json.dumps(code), message=message)
