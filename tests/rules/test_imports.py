"""Tests that modules import only from allowed folders, so that each part can be read, tested and replaced alone."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.graph import ROOT

# Each of these components provides one capability of the platform. A component must not import another component of
# this list. It may import every other module of components/.
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
COMPONENT_MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "components").rglob("*.py")
    if path.stem != "__init__"
}
LOCAL = {path.stem for path in (ROOT / "local").iterdir()}
FIXES_IMPORT = {"emulator_fixes", "local"}
# The commands in operations/ may import only these modules of local/, which they need to call the emulator. The other
# modules of local/ start the emulator and deploy to it.
USED_BY_OPERATIONS = {"aws", "environment", "errors", "instance", "loopback"}
HANDLERS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))
# The Pulumi program must not import these packages. It deploys the functions' handlers without importing them, and the
# other packages run, operate or test the program.
TOOLS = ("emulator_fixes", "engine", "local", "operations", "tests", *HANDLERS)


def imported(source: str) -> Iterator[str]:
    """Yield the dotted names that the source of a module imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


# The imports that are banned in all modules of a folder, or in one file. For the other folders, banned_imports()
# returns the banned imports, which depend on the module.
BANNED: Mapping[str, tuple[str, ...]] = {
    "emulator_fixes": (
        *("components", "shared", "settings", "pulumi"),
        *(name for name in TOOLS if name not in FIXES_IMPORT),
    ),
    "operations": (
        *("components", "shared", "settings", "pulumi", "emulator_fixes", "tests", *HANDLERS),
        *(f"local.{name}" for name in LOCAL - USED_BY_OPERATIONS),
    ),
    # A command can't handle signals before it has imported cli. Each command therefore imports cli first, and cli must
    # load quickly.
    "cli": ("components", "settings", "shared", "pulumi", "boto3", *TOOLS),
    # The policy pack imports nothing of this project, because it must work for any stack.
    "policy": ("components", "settings", "shared", "pulumi_aws", *TOOLS),
    "settings.py": ("components", "shared", "pulumi_aws", *TOOLS),
    "setting_types.py": ("components", "settings", "shared", "pulumi", "pulumi_aws", *TOOLS),
    "pulumi_yaml.py": ("components", "settings", "shared", "pulumi", "pulumi_aws", *TOOLS),
    "__main__.py": ("shared", *TOOLS),
}


def banned_imports(path: str) -> tuple[str, ...]:
    """Return the dotted names that the module at `path` must not import."""
    parts = Path(path).parts
    if parts[0] == "components":
        own = ".".join(Path(path).with_suffix("").parts[1:])
        return ("settings", "shared", *TOOLS, *(f"components.{name}" for name in CAPABILITIES - {own}))
    if parts[0] == "functions":
        others = ("shared",) if parts[1] == "shared" else (parts[1],)
        return ("pulumi", "pulumi_aws", "components", "settings", *(name for name in TOOLS if name not in others))
    if parts[0] == "engine":
        # The engine can run any program, so it imports no component. The exception is graph.py, which imports
        # components.functions.archives to turn off the building of archives (option `build_archives`).
        own = COMPONENT_MODULES - {"components.functions.archives"} if parts[1] == "graph.py" else {"components"}
        return ("settings", "shared", "boto3", *(name for name in TOOLS if name != "engine"), *own)
    if parts[0] == "local":
        # launch.py runs in the emulator's process, and applies the corrections in emulator_fixes there. The other
        # modules run in other processes, so they must not import the corrections.
        fixes = () if parts[1] == "launch.py" else ("emulator_fixes",)
        return ("components", "shared", "settings", "engine.graph", "operations", "tests", *HANDLERS, *fixes)
    return BANNED.get(parts[0], ())


def forbidden(path: str, source: str) -> list[str]:
    """Return the imports in `source` that are not allowed in the module at `path`."""
    if path.startswith("contracts/"):
        # Components and functions import contracts. If contracts imported them, the imports would be circular.
        return [name for name in imported(source) if name.split(".")[0] not in {*sys.stdlib_module_names, "contracts"}]
    # The platform must work without the development tools in tools/, so none of the checked modules may import them.
    banned = (*banned_imports(path), "tools")
    return [name for name in imported(source) for ban in banned if name == ban or name.startswith(f"{ban}.")]


def modules() -> list[str]:
    folders = (
        "cli",
        "components",
        "contracts",
        "emulator_fixes",
        "engine",
        "functions",
        "local",
        "operations",
        "policy",
    )
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
