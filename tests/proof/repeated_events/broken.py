"""Breaks a deployed function for a while: the function's alias points to a new version with another handler."""

from __future__ import annotations

import io
import textwrap
import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import requests

from tests.journeys.stack import ANSWERS_WITHIN_S, Stack

_BEFORE: Final = "as_it_was"


@contextmanager
def broken(stack: Stack, source: str, body: str) -> Generator[None]:
    """Deploy the function `source`, for example `send_email`, with another handler until the context ends.

    `body` is the body of `def lambda_handler(event, context)`. It can call the original handler as
    `as_it_was.lambda_handler(event, context)`.
    """
    lines = textwrap.indent(textwrap.dedent(body), "    ")
    handler = f"from {source} import {_BEFORE}\n\n\ndef lambda_handler(event, context):\n{lines}\n"
    with released(stack, source, handler, original=_BEFORE):
        yield


@contextmanager
def released(stack: Stack, source: str, handler: str, original: str = "") -> Generator[None]:
    """Deploy the function `source` with the code `handler` as its handler module until the context ends.

    If `original` is set, the function also contains the original handler as the module `original`.
    """
    alias = stack.ops["functions"][source]
    function, _, name = alias.rpartition(":")
    found = stack.aws("lambda", "get_function", FunctionName=alias)
    good, version = _download(found["Code"]["Location"]), found["Configuration"]["Version"]
    code = _with_handler(good, source, handler, original)
    stack.aws("lambda", "update_function_code", FunctionName=function, ZipFile=code)
    bad = stack.aws("lambda", "publish_version", FunctionName=function)["Version"]
    assert bad != version
    stack.aws("lambda", "update_alias", FunctionName=function, Name=name, FunctionVersion=bad)
    try:
        yield
    finally:
        stack.aws("lambda", "update_alias", FunctionName=function, Name=name, FunctionVersion=version)
        stack.aws("lambda", "update_function_code", FunctionName=function, ZipFile=good)
        stack.aws("lambda", "delete_function", FunctionName=function, Qualifier=bad)


def _download(location: str) -> bytes:
    answer = requests.get(location, timeout=ANSWERS_WITHIN_S)
    answer.raise_for_status()
    return answer.content


def _with_handler(archive: bytes, source: str, handler: str, original: str) -> bytes:
    """Return a copy of the function's archive with the code `handler` as its handler module.

    If `original` is set, the copy also contains the original handler as the module `original`.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(buffer, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == f"{source}/handler.py":
                if not original:
                    continue
                entry.filename = f"{source}/{original}.py"
            new.writestr(entry, content)
        new.writestr(f"{source}/handler.py", handler)
    return buffer.getvalue()
