"""Reads Pulumi's YAML files with the same result as the Pulumi CLI, or refuses a file with a one-line error.

The CLI reads YAML with Go's library yaml.v3. PyYAML accepts nearly the same syntax as yaml.v3, but gives some values
other types. For example, `on` is a string for yaml.v3 but a boolean for PyYAML. This module therefore uses PyYAML only
to parse, and determines the type of each value itself.

This module refuses some files that the CLI accepts: files with tags, dates, keys that are not strings, a second
document, or tabs between values. No setting needs such values, and the CLI changes most of them. For example,
`2026-01-01` becomes `2026-01-01 00:00:00 +0000 UTC`. tests/local/pulumi_yaml_cases.json has the CLI's result for each
kind of value.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn, cast

import yaml
from yaml.reader import ReaderError

_CONSTANTS: Final[Mapping[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
# Values that this module refuses unless they are in quotes: all dates, and numbers such as `._1` and `0b-1`, which
# PyYAML and yaml.v3 (the parser of the Pulumi CLI) interpret differently.
_UNCLEAR: Final = re.compile(r"\d{4}-\d\d?-\d\d?([Tt ].*)?|\.[0-9eE_+-]*_[0-9eE_+-]*|[-+]?0[oObB]_*[-+].*", re.ASCII)
_INTEGER: Final = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|[1-9][0-9]{0,15}|0)")
_OLD_OCTAL: Final = re.compile(r"[-+]?0[0-7]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
# This module refuses numbers above this limit. The CLI converts some numbers to floats, which cannot represent every
# integer above this limit exactly.
_LARGEST: Final = 2**53
_TEXT_TAG: Final = "tag:yaml.org,2002:str"
# With YAML aliases that refer to each other, a small file can have very large or endless content. These limits make
# this module refuse such a file. A stack file has only 4 levels and about 150 values.
_MOST_LEVELS: Final = 50
_MOST_VALUES: Final = 10_000
_LONGEST_QUOTE: Final = 60


class PulumiYamlError(Exception):
    """A file cannot be read. The message is one line with the file, line, key, value and allowed values."""


class _Loader(yaml.SafeLoader):
    """PyYAML's parser, but without the determination of types. It also refuses syntax that yaml.v3 does not support."""

    # Refuse the escape sequence `\/`, because yaml.v3 does not support it.
    ESCAPE_REPLACEMENTS = {  # noqa: RUF012  # pyright: ignore[reportGeneralTypeIssues] - PyYAML's scanner reads it
        key: value for key, value in yaml.SafeLoader.ESCAPE_REPLACEMENTS.items() if key != "/"
    }

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        del kind, value, implicit
        return ""

    def process_directives(self) -> Any:
        found: Any = cast("Any", super()).process_directives()
        if self.yaml_version not in (None, (1, 1)):
            raise yaml.YAMLError("found a %YAML directive other than 1.1")
        return found


@dataclass
class _Document:
    """Converts one file to JSON values."""

    name: str
    secrets: bool
    values: int = 0

    def convert(self, node: yaml.Node, path: tuple[str, ...]) -> Any:
        self.values += 1
        if self.values > _MOST_VALUES:
            self.refuse(
                node,
                path,
                f"more than {_MOST_VALUES} values",
                f"at most {_MOST_VALUES} values; remove repeated aliases",
            )
        if len(path) > _MOST_LEVELS:
            self.refuse(
                node,
                (),
                f"more than {_MOST_LEVELS} levels",
                f"at most {_MOST_LEVELS} levels; remove an alias that contains itself",
            )
        if node.tag not in ("", _TEXT_TAG):
            self.refuse(node, path, f"the tag {node.tag!r}", "values without a tag; remove the tag")
        if isinstance(node, yaml.SequenceNode):
            items = cast("list[yaml.Node]", node.value)
            return [self.convert(item, (*path, str(number))) for number, item in enumerate(items)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        return self._scalar(node, path)

    def _mapping(self, node: yaml.Node, path: tuple[str, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        seen: set[str] = set()
        for key_node, value_node in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
            key = self._scalar(key_node, path) if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str):
                self.refuse(
                    key_node, path, "a key that is not a string", "keys that are strings; put the key in quotes"
                )
            if key in seen:
                self.refuse(key_node, (*path, key), "the key twice", "each key once; remove one of them")
            seen.add(key)
            value = self.convert(value_node, (*path, key))
            if key == "<<":
                merged = self._merged(value, value_node, path)
            else:
                found[key] = value
        if not self.secrets and found.keys() == {"secure"} and isinstance(found["secure"], str):
            allowed = "plain values, because only the Pulumi CLI can decrypt a secret; replace it with a plain value"
            self.refuse(node, path, "a secret", allowed)
        return {**merged, **found}

    def _merged(self, value: Any, node: yaml.Node, path: tuple[str, ...]) -> dict[str, Any]:
        """Return the keys that the merge key `<<` adds to a mapping.

        If `value` is a list of mappings, the first mapping that contains a key has precedence.
        """
        parts = cast("list[Any]", value) if isinstance(value, list) else [value]
        merged: dict[str, Any] = {}
        for part in reversed(parts):
            if not isinstance(part, dict):
                self.refuse(node, (*path, "<<"), "a value of another type", "a mapping, or a list of mappings")
            merged |= cast("dict[str, Any]", part)
        return merged

    def _scalar(self, node: yaml.Node, path: tuple[str, ...]) -> Any:
        text = cast("str", node.value)
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            self.refuse(node, path, "an unpaired surrogate", "valid Unicode text; write the character itself")
        if cast("yaml.ScalarNode", node).style or node.tag == _TEXT_TAG:
            return text
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if _UNCLEAR.fullmatch(text):
            allowed = "a number, true, false or a string; put quotes around a string that looks like a date or a number"
            self.refuse(node, path, quoted(text)[1:-1], allowed)
        if _NOT_FINITE.fullmatch(text):
            self.refuse(node, path, text, "finite numbers")
        value = _number(text)
        if not isinstance(value, str) and abs(value) > _LARGEST:
            self.refuse(
                node, path, quoted(text)[1:-1], f"numbers up to {_LARGEST}; put quotes around a string of digits"
            )
        return value

    def refuse(self, node: yaml.Node, path: tuple[str, ...], got: str, allowed: str) -> NoReturn:
        key = ".".join(path).removeprefix("config.")
        where = f"{self.name}:{node.start_mark.line + 1}: {f'{quoted(key)[1:-1]}: ' if key else ''}"
        raise PulumiYamlError(f"{where}got {got}; allowed: {allowed}")


def read(path: Path, *, secrets: bool = True) -> dict[str, Any]:
    """Return the content of the file `path` as JSON values, or {} for an empty file.

    Raises PulumiYamlError. If `secrets` is false, a value that Pulumi has encrypted is an error too.
    """
    try:
        node = yaml.compose(path.read_bytes(), Loader=_Loader)  # pyright: ignore[reportUnknownMemberType]
    except OSError as error:
        raise PulumiYamlError(f"{path.name}: {error.strerror or error}; restore the file {path}") from None
    except RecursionError:
        raise PulumiYamlError(f"{path.name}: got too many levels; allowed: at most {_MOST_LEVELS}") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise PulumiYamlError(_syntax(path.name, error)) from None
    if node is None:
        return {}
    document = _Document(path.name, secrets).convert(node, ())
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise PulumiYamlError(f"{path.name}: got {quoted(document)}; allowed: a mapping such as `config:`")
    return cast("dict[str, Any]", document)


def config_text(value: Any) -> str:
    """Return `value` as the Pulumi CLI passes it to a program: strings unchanged, null as "", other values as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def quoted(value: Any) -> str:
    """Return `value` for a message, on one line and shortened."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = ascii(value)
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}..."


def _syntax(name: str, error: Exception) -> str:
    what, line = "an escape that is not a Unicode character", ""
    if isinstance(error, yaml.MarkedYAMLError):
        what = ", ".join(filter(None, (error.context, error.problem)))
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
    elif isinstance(error, ReaderError):
        what = f"{error.reason}, at position {error.position}"
    elif isinstance(error, yaml.YAMLError):
        what = str(error)
    return f"{name}{line}: invalid YAML: {ascii(what)[1:-1]}; allowed: YAML 1.1 in UTF-8; correct the file"


def _number(text: str) -> int | float | str:
    """Return the value of an unquoted scalar: a number if `text` has the form of a number, otherwise `text` itself."""
    plain = text.replace("_", "") if text[0] in "+-0123456789" else text
    if _INTEGER.fullmatch(plain):
        return int(plain, 8) if _OLD_OCTAL.fullmatch(plain) else int(plain, 0)
    if not _FLOAT.fullmatch(plain) or not math.isfinite(number := float(plain)):
        return text
    return int(number) if number.is_integer() else number
