"""Tests which folder may import from which, so that each part can be read, tested and replaced alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.graph import ROOT

# A component must not import these components of other capabilities. It may import every other module of components/.
CAPABILITIES = {
    "data_tier",
    "identity",
    "apis.rest_api",
    "apis.http_api",
    "events.event_bus",
    "workflow.order_workflow",
    "observability.observability",
    "functions.layers",
    "aws.log_key",
}
LOCAL = {path.stem for path in (ROOT / "local").iterdir()}
FIXES_IMPORT = {"emulator_fixes", "local"}
# These modules call the emulator. Operations must not use the modules that deploy to the emulator.
USED_BY_OPERATIONS = {"aws", "environment", "errors", "instance"}
HANDLERS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))
# What runs the program or is run by it, and so no part of the program imports.
TOOLS = ("emulator_fixes", "engine", "local", "operations", "tests", *HANDLERS)


def imported(source: str) -> Iterator[str]:
    """Yield the dotted names that the source of a module imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def forbidden(path: str, source: str) -> list[str]:  # noqa: C901 - each folder has one branch
    """Return the imports in `source` that are not allowed in the folder of `path`."""
    parts = Path(path).parts
    banned: tuple[str, ...] = ()
    if parts[0] == "components":
        banned = ("settings", "shared", *TOOLS)
        own = ".".join(Path(path).with_suffix("").parts[1:])
        banned += tuple(f"components.{name}" for name in CAPABILITIES - {own})
    elif parts[0] == "functions" and parts[1] == "shared":
        banned = ("pulumi", "pulumi_aws", "components", "settings", *TOOLS)
    elif parts[0] == "functions":
        banned = ("pulumi", "pulumi_aws", "components", "settings", *(name for name in TOOLS if name != parts[1]))
    elif parts[0] == "engine":
        # The engine runs any program. The graph of the platform may leave the archives empty.
        banned = ("settings", "shared", "boto3", *(name for name in TOOLS if name != "engine"))
        banned += ("components.functions.function",) if parts[1] == "graph.py" else ("components",)
    elif parts[0] == "local":
        banned = ("components", "shared", "settings", "engine.graph", "operations", "tests", *HANDLERS)
        # The emulator's process applies the corrections. The commands do not need them.
        banned += () if parts[1] == "launch.py" else ("emulator_fixes",)
    elif parts[0] == "emulator_fixes":
        banned = ("components", "shared", "settings", "pulumi", *(name for name in TOOLS if name not in FIXES_IMPORT))
    elif parts[0] == "operations":
        banned = ("components", "shared", "settings", "pulumi", "emulator_fixes", "tests", *HANDLERS)
        banned += tuple(f"local.{name}" for name in LOCAL - USED_BY_OPERATIONS)
    elif parts[0] == "cli":
        # A command imports cli first, so that it handles signals during all other imports. cli itself must therefore
        # load quickly.
        banned = ("components", "settings", "shared", "pulumi", "boto3", *TOOLS)
    elif parts[0] == "policy":
        # The policy pack imports nothing of this project, because it must work for any stack.
        banned = ("components", "settings", "shared", "pulumi_aws", *TOOLS)
    elif parts[0] == "settings.py":
        banned = ("components", "shared", "pulumi_aws", *TOOLS)
    elif parts[0] in ("setting_types.py", "pulumi_yaml.py"):
        banned = ("components", "settings", "shared", "pulumi", "pulumi_aws", *TOOLS)
    elif parts[0] == "__main__.py":
        banned = ("shared", *TOOLS)
    banned += ("tools",)  # The product must run without its tools, so only tools may import the product.
    return [name for name in imported(source) for ban in banned if name == ban or name.startswith(f"{ban}.")]


def modules() -> list[str]:
    folders = ("cli", "components", "emulator_fixes", "engine", "functions", "local", "operations", "policy")
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(str(path.relative_to(ROOT)) for path in [*found, *ROOT.glob("*.py")])


@pytest.mark.parametrize("path", modules())
def test_module_imports_only_what_its_folder_allows(path: str) -> None:
    assert forbidden(path, (ROOT / path).read_text()) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("components/events/event_bus.py", "from components.workflow.order_workflow import OrderWorkflow"),
        ("components/events/event_bus.py", "import settings"),
        ("components/events/event_bus.py", "from shared.order import Order"),
        ("functions/users_api/handler.py", "import pulumi"),
        ("functions/users_api/handler.py", "from orders_api.handler import app"),
        ("functions/shared/order.py", "from users_api import handler"),
        ("local/up.py", "from components.functions import function"),
        ("cli/endings.py", "from local.errors import LocalError"),
        ("operations/redrive.py", "import pulumi"),
        ("operations/redrive.py", "from tools.cost import report"),
        ("operations/redrive.py", "from components.functions import archives"),
        ("local/up.py", "import emulator_fixes"),
        ("emulator_fixes/latency.py", "import pulumi"),
        ("engine/program.py", "from local.errors import LocalError"),
        ("engine/program.py", "from components.functions import archives"),
        ("operations/redrive.py", "from local import emulator"),
        ("operations/redrive.py", "from local.up import up"),
        ("cli/signals.py", "from local import processes"),
        ("policy/aws_rules/tables.py", "from components.aws.naming import Naming"),
        ("policy/aws_rules/functions.py", "import pulumi_aws as aws"),
        ("settings.py", "import pulumi_aws as aws"),
        ("setting_types.py", "import settings"),
        ("pulumi_yaml.py", "import pulumi"),
        ("__main__.py", "from local import up"),
    ],
)
def test_forbidden_import_is_detected(path: str, source: str) -> None:
    assert forbidden(path, source)


def test_each_function_folder_has_a_handler() -> None:
    import settings  # noqa: PLC0415 - only this test needs the names of the functions

    assert sorted(settings.FUNCTION_NAMES) == HANDLERS
