"""Tests which folder may import from which, so that each part can be read, tested and replaced alone."""

from __future__ import annotations

import ast
import sys
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
# These modules call the emulator. Operations must not use the modules that deploy to the emulator.
USED_BY_OPERATIONS = {"aws", "environment", "errors", "instance"}
HANDLERS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))


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
        banned = ("settings", "shared", "local", "operations", "tests", *HANDLERS)
        own = ".".join(Path(path).with_suffix("").parts[1:])
        banned += tuple(f"components.{name}" for name in CAPABILITIES - {own})
    elif parts[0] == "contracts":
        # Components and functions import it, so it imports neither.
        return [name for name in imported(source) if name.split(".")[0] not in {*sys.stdlib_module_names, "contracts"}]
    elif parts[0] == "functions" and parts[1] == "shared":
        banned = ("pulumi", "pulumi_aws", "components", "settings", "local", "operations", "tests", *HANDLERS)
    elif parts[0] == "functions":
        others = tuple(name for name in HANDLERS if name != parts[1])
        banned = ("pulumi", "pulumi_aws", "components", "settings", "local", "operations", "tests", *others)
    elif parts[0] == "local":
        banned = ("components", "shared", "settings", "operations", "tests", *HANDLERS)
    elif parts[0] == "operations":
        banned = ("shared", "settings", "tests", *HANDLERS)
        banned += tuple(f"local.{name}" for name in LOCAL - USED_BY_OPERATIONS)
        # Only this module runs the whole program, with Pulumi's mocks.
        banned += () if parts[1] == "resource_graph.py" else ("components", "pulumi")
    elif parts[0] == "cli":
        # A command imports cli first, so that it handles signals during all other imports. cli itself must therefore
        # load quickly.
        banned = ("components", "settings", "shared", "local", "operations", "pulumi", "boto3", "tests", *HANDLERS)
    elif parts[0] == "policy":
        # The policy pack imports nothing of this project, because it must work for any stack.
        banned = ("components", "settings", "shared", "local", "operations", "pulumi_aws", "tests", *HANDLERS)
    elif parts[0] == "settings.py":
        banned = ("components", "shared", "local", "operations", "pulumi_aws", "tests", *HANDLERS)
    elif parts[0] in ("setting_types.py", "pulumi_yaml.py"):
        banned = ("components", "settings", "shared", "local", "operations", "pulumi", "pulumi_aws", "tests", *HANDLERS)
    elif parts[0] == "__main__.py":
        banned = ("shared", "local", "operations", "tests", *HANDLERS)
    banned += ("tools",)  # The product must run without its tools, so only tools may import the product.
    return [name for name in imported(source) for ban in banned if name == ban or name.startswith(f"{ban}.")]


def modules() -> list[str]:
    folders = ("cli", "components", "contracts", "functions", "local", "operations", "policy")
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
        ("contracts/orders.py", "import yaml"),
        ("contracts/orders.py", "from shared import errors"),
        ("functions/users_api/handler.py", "import pulumi"),
        ("functions/users_api/handler.py", "from orders_api.handler import app"),
        ("functions/shared/order.py", "from users_api import handler"),
        ("local/up.py", "from components.functions import function"),
        ("cli/endings.py", "from local.errors import LocalError"),
        ("operations/redrive.py", "import pulumi"),
        ("operations/redrive.py", "from tools.cost import report"),
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
