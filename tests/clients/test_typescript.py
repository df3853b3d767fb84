"""Tests of the TypeScript client: generated modules, compilation, its own tests, and the package that npm packs."""

from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest

from contracts.orders import HTTP_STATUS
from shared.domain import money
from tests.clients.package import PACKAGE, check_tests, compiled_tests, node, npm
from tools.client import generate

USE = """
import { createOrdersClient, formatMoney, validateNewOrder } from "@orders/client";
const config = { restApi: { url: "http://127.0.0.1:1" }, httpApi: { url: "http://127.0.0.1:1" } };
const client = createOrdersClient({ config, tokens: () => "token" });
const missing = validateNewOrder({}).map((each) => each.pointer);
console.log(JSON.stringify([typeof client.rest.POST, formatMoney(1234, "USD", "en"), missing]));
"""


def test_generated_modules_match_the_contract(tmp_path: Path) -> None:
    generate.write(tmp_path)
    written = {path.name: path.read_text() for path in tmp_path.iterdir()}
    committed = {path.name: path.read_text() for path in generate.GENERATED.iterdir()}
    assert written.keys() == committed.keys(), "run `make client`"
    assert [name for name in written if written[name] != committed[name]] == [], "run `make client`"


def test_currencies_and_error_statuses_match_the_python_code() -> None:
    script = """
    const { DIGITS } = await import("./dist/generated/currencies.js");
    const { HTTP_STATUS } = await import("./dist/generated/statuses.js");
    console.log(JSON.stringify([DIGITS, HTTP_STATUS]));
    """
    digits, statuses = json.loads(node("--input-type=module", "--eval", script).stdout)
    assert digits == {currency: money.decimals(currency) for currency in generate.allowed_currencies()}
    assert statuses == HTTP_STATUS


def test_typescript_client_passes_its_own_tests() -> None:
    check_tests(sorted(compiled_tests().glob("*.test.js")))


def test_sources_are_formatted() -> None:
    done = node("node_modules/prettier/bin/prettier.cjs", "--check", ".")
    assert done.returncode == 0, f"run `make client`\n{done.stderr}"


def test_compiler_options_are_strict() -> None:
    options = json.loads((PACKAGE / "tsconfig.json").read_text())["compilerOptions"]
    strict = ("strict", "exactOptionalPropertyTypes", "noUncheckedIndexedAccess")
    assert [name for name in strict if options.get(name) is not True] == []


def test_lock_file_of_the_client_contains_no_registry_url() -> None:
    packages: dict[str, dict[str, Any]] = json.loads((PACKAGE / "package-lock.json").read_text())["packages"]
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [name for name, entry in packages.items() if name and "integrity" not in entry] == []


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty project in which the packed package and its dependencies are installed."""
    compiled_tests()
    folder = tmp_path_factory.mktemp("project")
    done = npm("pack", "--offline", "--ignore-scripts", "--pack-destination", str(folder))
    assert done.returncode == 0, done.stderr
    modules = folder / "node_modules"
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(modules / "@orders", filter="data")
    (modules / "@orders" / "package").rename(modules / "@orders" / "client")
    pending = ["@orders/client"]
    while pending:
        declared = json.loads((modules / pending.pop() / "package.json").read_text()).get("dependencies", {})
        for name in declared:
            shutil.copytree(PACKAGE / "node_modules" / name, modules / name)
            pending.append(name)
    return folder


def test_packed_package_works_in_an_empty_project(packed: Path) -> None:
    done = node("--input-type=module", "--eval", USE, folder=packed)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["function", "$12.34", ["/items"]]


def test_packed_package_contains_only_compiled_files(packed: Path) -> None:
    root = packed / "node_modules" / "@orders" / "client"
    found = {path.relative_to(root).parts[0] for path in root.rglob("*") if path.is_file()}
    assert found == {"README.md", "dist", "package.json"}
    assert {path.suffix for path in (root / "dist").rglob("*") if path.is_file()} == {".js", ".ts"}
    assert "ajv" not in json.loads((root / "package.json").read_text())["dependencies"]
