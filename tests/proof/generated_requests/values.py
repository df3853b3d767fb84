"""Generates values that clients rarely send: odd text, odd JSON, and valid JSON with small changes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar, cast

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

T = TypeVar("T")
_ALL_CHECKS: Final = list(cast("Iterable[HealthCheck]", HealthCheck))
ODD_TEXT: Final = (
    *(
        "",
        " ",
        "\x00",
        "\n",
        "tea\n",
        "\r\n",
        "\t",
        "\x7f",
        "\x85",
        "\u2028",
        "\ufeff",
        "\ufffd",
        "\ud800",
        "\udfff\ud800",
    ),
    *(
        '"',
        "'",
        "\\",
        "`",
        "#",
        "?",
        "%",
        "%00",
        "%0A",
        "%2F",
        "%ZZ",
        "..",
        ".",
        "~",
        "<script>",
        "{{x}}",
        "${x}",
        "$(x)",
    ),
    *(
        "null",
        "None",
        "true",
        "NaN",
        "-1",
        "0",
        "1e309",
        "0x10",
        "\uff19",
        "İ",
        "ß",
        "渋谷 🍵",
        "\U0010ffff",
        "e\u0301" * 20,
    ),
    *("__proto__", "constructor", "admin", "' OR 1=1 --", "[admin]", "x,admin", "x" * 65, "x" * 5000),
)
ODD_NUMBERS: Final = (0, -1, 1, 2**31, 2**53 + 1, 2**63, 10**30, -(10**400), 1.0, 0.5, -0.0, 1e308, True, False)


def fields(value: Any) -> dict[str, Any]:
    """Return `value` if it is a JSON object, otherwise an empty dict."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def each[T](strategy: st.SearchStrategy[T], examples: int, do: Callable[[T], None], *, random: bool) -> int:
    """Call `do` with each generated example, and return the number of examples.

    Unless `random` is true, the examples are the same each time, and Hypothesis does not simplify a failing example.
    """
    tried: list[None] = []

    @settings(
        max_examples=examples,
        derandomize=not random,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink) if random else (Phase.generate,),
        suppress_health_check=_ALL_CHECKS,
    )
    @given(example=strategy)
    def run(example: T) -> None:
        tried.append(None)
        do(example)

    run()
    return len(tried)


def texts() -> st.SearchStrategy[str]:
    """Generate text of any characters, including surrogates and control characters."""
    return st.sampled_from(ODD_TEXT) | st.text(st.characters(), max_size=30)


def seldom[T](usual: st.SearchStrategy[T], odd: st.SearchStrategy[T], one_in: int = 12) -> st.SearchStrategy[T]:
    """Generate a value from `odd` in one of `one_in` cases on average, and a value from `usual` in all other cases."""
    return st.integers(1, one_in).flatmap(lambda number: odd if number == one_in else usual)


def values() -> st.SearchStrategy[Any]:
    """Generate any JSON value."""
    scalars = st.none() | st.sampled_from(ODD_NUMBERS) | texts()
    return st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(), inner, max_size=3), max_leaves=5
    )


@st.composite
def changed(draw: st.DrawFn, whole: st.SearchStrategy[Any]) -> Any:
    """Generate a value from `whole` with one to three changes.

    A change replaces, removes, adds or wraps a part of the value. Most changes are near the top level.
    """
    value: Any = copy.deepcopy(draw(whole))
    for _ in range(draw(st.integers(1, 3))):
        holder: Any = value
        keys = _keys(holder)
        if not keys:
            break
        key = draw(st.sampled_from(keys))
        while (below := _keys(holder[key])) and draw(st.booleans()):
            holder, key = holder[key], draw(st.sampled_from(below))
        _change(draw, holder, key)
    return value


def _change(draw: st.DrawFn, holder: Any, key: Any) -> None:
    match draw(st.sampled_from(("replace", "replace", "remove", "add", "wrap"))):
        case "remove":
            del holder[key]
        case "add" if isinstance(holder, dict):
            holder[draw(texts())] = draw(values())
        case "wrap":
            holder[key] = draw(st.sampled_from(([holder[key]], {"a": holder[key]}, str(holder[key]))))
        case _:
            holder[key] = draw(values())


def _keys(value: Any) -> list[Any]:
    """Return the keys or indexes of a value's parts."""
    if isinstance(value, dict):
        return list(cast("dict[str, Any]", value))
    return list(range(len(cast("list[Any]", value)))) if isinstance(value, list) else []
