"""Renders the mapping templates for API Gateway, which are Velocity files in components/apis/templates/.

A placeholder is `${name}`. The templates write Velocity references without braces, so a reference is never mistaken
for a placeholder.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

JSON: Final = "application/json"
TEMPLATES: Final = Path(__file__).resolve().parent / "templates"
_PLACEHOLDER: Final = re.compile(r"\$\{([^}]*)\}")
# A change of a rendered template redeploys the API. Comments are removed, so that a changed comment does not redeploy
# the API.
_COMMENT: Final = re.compile(r"^##.*\n", re.MULTILINE)


def render(name: str, **values: object) -> str:
    """Return the template `components/apis/templates/{name}.vtl` without comments, filled in with `values`.

    Raises ValueError if a placeholder has no value, or if a value has no placeholder.
    """
    text = _COMMENT.sub("", (TEMPLATES / f"{name}.vtl").read_text(encoding="utf-8"))
    wanted = set(_PLACEHOLDER.findall(text))
    if wanted != set(values):
        raise ValueError(
            f"components/apis/templates/{name}.vtl: missing values {sorted(wanted - set(values))}, "
            f"unused values {sorted(set(values) - wanted)}; pass one value for each ${{name}}"
        )
    return _PLACEHOLDER.sub(lambda found: str(values[found[1]]), text).rstrip("\n")


def error_body(code: str, message: str) -> str:
    """Return the JSON body of an error. `code` and `message` are plain texts, which this function quotes."""
    return render("error", code=json.dumps(code), message=json.dumps(message))


def error_body_quoting(code: str, message: str) -> str:
    """Return the JSON body of an error. `message` is a variable that API Gateway replaces with a quoted JSON text."""
    return render("error", code=json.dumps(code), message=message)
