"""Evaluates the DynamoDB expressions that the Lambda functions use. Raises ValueError for any other syntax."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

Item = dict[str, Any]

_TOKEN: Final = re.compile(r"\s*(<>|<=|>=|[=<>(),+-]|[#:]?[A-Za-z_][A-Za-z0-9_]*)")
# Four of the platform's attributes have a name that is one of DynamoDB's 573 reserved words. An expression must use an
# expression attribute name, for example `#name`, for each of them.
_RESERVED: Final = frozenset({"name", "status", "items", "total"})
_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


class Expression:
    """A condition or update expression.

    `names` is {placeholder: attribute name}, and `values` is {placeholder: value}. The set `used` collects the
    placeholders that the expression contains. With `used`, the caller can find unused placeholders, which DynamoDB
    refuses.
    """

    def __init__(self, text: str, names: Mapping[str, str], values: Mapping[str, Any], used: set[str]) -> None:
        self._tokens = self._split(text)
        self._names, self._values, self._used = names, values, used

    def holds(self, item: Item | None) -> bool:
        """Return whether a row meets the condition. `item` is None if the row does not exist."""
        result = self._any(item or {})
        self._end()
        return result

    def update(self, item: Item) -> None:
        """Apply an update expression to a row, for example `SET a = :b, c = c + :d REMOVE e`.

        DynamoDB reads all operands before it changes the row. It accepts each clause only once, in any order.
        """
        before = dict(item)
        clauses = {"SET": lambda: self._set(item, before), "REMOVE": lambda: self._remove(item)}
        while self._tokens:
            clause = self._next()
            if clause not in clauses:
                raise ValueError(f"expression: got {clause!r}, expected one of {', '.join(clauses)}, each once")
            clauses.pop(clause)()

    def _remove(self, item: Item) -> None:
        item.pop(self._attribute(self._next()), None)

    def _set(self, item: Item, before: Item) -> None:
        while True:
            attribute = self._attribute(self._next())
            self._expect("=")
            value = self._operand(before)
            while self._peek() in {"+", "-"}:
                sign = 1 if self._next() == "+" else -1
                value = {"N": str(_number(value) + sign * _number(self._operand(before)))}
            item[attribute] = value
            if self._peek() != ",":
                break
            self._next()

    def _any(self, item: Item) -> bool:
        result = self._all(item)
        while self._peek() == "OR":
            self._next()
            result = self._all(item) or result
        return result

    def _all(self, item: Item) -> bool:
        result = self._one(item)
        while self._peek() == "AND":
            self._next()
            result = self._one(item) and result
        return result

    def _one(self, item: Item) -> bool:
        token = self._peek()
        if token == "(":
            self._next()
            result = self._any(item)
            self._expect(")")
            return result
        if token in {"attribute_exists", "attribute_not_exists"}:
            self._next()
            self._expect("(")
            present = self._attribute(self._next()) in item
            self._expect(")")
            return present == (token == "attribute_exists")
        left, operator, right = self._operand(item), self._next(), self._operand(item)
        if left is None or right is None:
            # In DynamoDB, a comparison with a missing attribute is true only for the operator `<>`.
            return operator == "<>"
        return _COMPARE[operator](_comparable(left), _comparable(right))

    def _operand(self, item: Item) -> Any:
        token = self._next()
        if token.startswith(":"):
            self._used.add(token)
            return self._values[token]
        return item.get(self._attribute(token))

    def _attribute(self, token: str) -> str:
        if token.startswith("#"):
            self._used.add(token)
            return self._names[token]
        if token.lower() in _RESERVED:
            raise ValueError(f"Attribute name is a reserved keyword; reserved keyword: {token}")
        return token

    def _split(self, text: str) -> list[str]:
        tokens: list[str] = []
        position = 0
        while position < len(text.rstrip()):
            match = _TOKEN.match(text, position)
            if not match:
                raise ValueError(f"expression: unknown syntax at {text[position:]!r}")
            tokens.append(match.group(1))
            position = match.end()
        return tokens

    def _peek(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def _next(self) -> str:
        return self._tokens.pop(0)

    def _expect(self, token: str) -> None:
        got = self._next()
        if got != token:
            raise ValueError(f"expression: got {got!r}, expected {token!r}")

    def _end(self) -> None:
        if self._tokens:
            raise ValueError(f"expression: unexpected tokens {self._tokens!r}")


def _number(value: Mapping[str, Any]) -> int:
    return int(value["N"])


def _comparable(value: Mapping[str, Any]) -> Any:
    """Return the Python value of an attribute for a comparison.

    DynamoDB's API represents a number as text, but DynamoDB compares it as a number.
    """
    (kind, content), *_ = value.items()
    return int(content) if kind == "N" else content
