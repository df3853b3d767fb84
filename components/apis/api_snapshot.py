"""What a REST API's deployment consists of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import pulumi

_P = ParamSpec("_P")
_R = TypeVar("_R", bound=pulumi.Resource)


class ApiSnapshot:
    """Makes the resources that a deployment copies, and remembers them with their inputs.

    API Gateway serves what was there when the deployment was made, so it must be made anew when any of it changes.
    """

    def __init__(self) -> None:
        self.resources: list[pulumi.Resource] = []
        self.inputs: dict[str, dict[str, Any]] = {}

    def add(self, make: Callable[Concatenate[str, _P], _R], name: str, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Return `make(name, ...)`, a resource given by its keyword arguments."""
        made = make(name, *args, **kwargs)
        self.resources.append(made)
        inputs = {key: value for key, value in kwargs.items() if key != "opts"}
        self.inputs[f"{type(made).__name__} {name}"] = inputs
        return made

    def digest(self) -> pulumi.Output[str]:
        """Return a hash of everything added so far; in a first preview it is not known."""
        text = pulumi.Output.json_dumps(self.inputs, sort_keys=True)
        return text.apply(lambda known: hashlib.sha256(known.encode()).hexdigest())
