"""Tests of the AWS clients that each Lambda function creates, and of the modules that each Lambda function imports."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from shared import aws
from tests.conftest import STACKS
from tests.functions.conftest import ENVIRONMENT
from tests.support.graph import ROOT, Graph

FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))


def clients_of(function: str) -> list[dict[str, Any]]:
    """Return the arguments of each `aws.client(...)` call in the file handler.py of a Lambda function."""
    tree = ast.parse((ROOT / "functions" / function / "handler.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "aws.client"]
    return [
        {"service": ast.literal_eval(call.args[0])}
        | {word.arg: ast.literal_eval(word.value) for word in call.keywords if word.arg}
        for call in calls
    ]


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_aws_call_with_all_retries_ends_before_the_function_timeout(
    function: str, stack: str, graph_of: Callable[[str], Graph]
) -> None:
    timeout_s = graph_of(stack).one("aws:lambda/function:Function", function.replace("_", "-")).inputs["timeout"]
    for arguments in clients_of(function):
        client = aws.client(**arguments)
        config = client.meta.config
        tries = config.retries["total_max_attempts"]
        # In standard mode, botocore waits for random times between attempts: at most 1 s before the second attempt, 2 s
        # before the third, 4 s before the fourth, and so on.
        pauses_s = sum(2**attempt for attempt in range(tries - 1))
        assert config.retries["mode"] == "standard"
        assert tries * (config.connect_timeout + config.read_timeout) + pauses_s <= timeout_s, arguments


def test_function_creates_clients_only_at_import() -> None:
    for function in FUNCTIONS:
        tree = ast.parse((ROOT / "functions" / function / "handler.py").read_text())
        inside = [
            ast.unparse(call)
            for outer in ast.walk(tree)
            if isinstance(outer, ast.FunctionDef)
            for call in ast.walk(outer)
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "aws.client"
        ]
        assert inside == [], function


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_imports_neither_boto3_nor_pydantic(function: str) -> None:
    """Importing boto3 or pydantic is slow, so it would delay every cold start of the function."""
    program = (
        f"import sys, json, {function}.handler; "
        "print(json.dumps([name for name in ('boto3', 'pydantic') if name in sys.modules]))"
    )
    environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": str(ROOT / "functions")}
    done = subprocess.run(  # noqa: S603 - the arguments are constants
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    assert json.loads(done.stdout) == []
