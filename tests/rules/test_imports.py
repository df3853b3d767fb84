"""Imports run one way (DESIGN, layout), so that each part can be read, tested and replaced alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.graph import ROOT

# Components that others may use: not capabilities of their own.
CAPABILITIES = {
    "data_tier",
    "identity",
    "rest_api",
    "http_api",
    "event_bus",
    "order_workflow",
    "observability",
    "layers",
}
HANDLERS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))


def imported(source: str) -> Iterator[str]:
    """Yield the dotted names that a module imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def forbidden(path: str, source: str) -> list[str]:
    """Return the imports of a module that its place does not allow."""
    parts = Path(path).parts
    banned: tuple[str, ...] = ()
    if parts[0] == "components":
        banned = ("settings", "shared", "local", "operations", "tests", *HANDLERS)
        banned += tuple(f"components.{name}" for name in CAPABILITIES if f"{name}.py" != parts[-1])
    elif parts[0] == "functions" and parts[1] == "shared":
        banned = ("pulumi", "pulumi_aws", "components", "settings", "local", "operations", "tests", *HANDLERS)
    elif parts[0] == "functions":
        others = tuple(name for name in HANDLERS if name != parts[1])
        banned = ("pulumi", "pulumi_aws", "components", "settings", "local", "operations", "tests", *others)
    elif parts[0] == "local":
        banned = ("components", "shared", "settings", "operations", "tests", *HANDLERS)
    elif parts[0] == "operations":
        banned = ("components", "shared", "settings", "local", "tests", *HANDLERS)
        # One module runs the program, as a whole and under mocks.
        banned += () if parts[1] == "resource_graph.py" else ("pulumi",)
    elif parts[0] == "cli":
        # It comes before everything else, so that a signal during the imports of a command finds it.
        banned = ("components", "settings", "shared", "local", "operations", "pulumi", "boto3", "tests", *HANDLERS)
    elif parts[0] == "policy":
        # Nothing of ours: it judges any stack.
        banned = ("components", "settings", "shared", "local", "operations", "pulumi_aws", "tests", *HANDLERS)
    elif parts[0] == "settings.py":
        banned = ("components", "shared", "local", "operations", "pulumi_aws", "tests", *HANDLERS)
    elif parts[0] == "__main__.py":
        banned = ("shared", "local", "operations", "tests", *HANDLERS)
    return [name for name in imported(source) for ban in banned if name == ban or name.startswith(f"{ban}.")]


def modules() -> list[str]:
    folders = ("cli", "components", "functions", "local", "operations", "policy")
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(str(path.relative_to(ROOT)) for path in [*found, ROOT / "settings.py", ROOT / "__main__.py"])


@pytest.mark.parametrize("path", modules())
def test_imports_run_one_way(path: str) -> None:
    assert forbidden(path, (ROOT / path).read_text()) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("components/event_bus.py", "from components.order_workflow import OrderWorkflow"),
        ("components/event_bus.py", "import settings"),
        ("components/event_bus.py", "from shared.order import Order"),
        ("functions/users_api/handler.py", "import pulumi"),
        ("functions/users_api/handler.py", "from orders_api.handler import app"),
        ("functions/shared/order.py", "from users_api import handler"),
        ("local/up.py", "from components import function"),
        ("operations/cost.py", "import pulumi"),
        ("cli/signals.py", "from local import processes"),
        ("policy/aws_rules/tables.py", "from components.naming import Naming"),
        ("policy/aws_rules/functions.py", "import pulumi_aws as aws"),
        ("settings.py", "import pulumi_aws as aws"),
        ("__main__.py", "from local import up"),
    ],
)
def test_an_import_the_other_way_is_caught(path: str, source: str) -> None:
    assert forbidden(path, source)


def test_each_function_folder_has_a_handler() -> None:
    import settings  # noqa: PLC0415 - the names of the functions are settings' too

    assert sorted(settings.FUNCTION_NAMES) == HANDLERS
