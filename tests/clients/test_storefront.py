"""Tests of the example shop: its sources, its pages with mocks of the platform, and its production build."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from operations.storefront import SHOP
from tests.browser.storefront import built
from tests.clients.package import COMPILER, PACKAGE, check_tests, node

FIRST_LOAD_BYTES: Final = 60_000
"""Limit for the compressed size of all files that the first page needs."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the pages that the site serves."""
    return built(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def compilation() -> subprocess.CompletedProcess[str]:
    """The result of the compiler, which writes the modules of the shop and of its tests into `.build`."""
    shutil.rmtree(SHOP / ".build", ignore_errors=True)
    return node(COMPILER, "--noEmit", "false", "--outDir", ".build", folder=SHOP)


def test_sources_compile_strictly(compilation: subprocess.CompletedProcess[str]) -> None:
    options = json.loads((SHOP / "tsconfig.json").read_text())["compilerOptions"]
    assert all(options[name] for name in ("strict", "exactOptionalPropertyTypes", "noUncheckedIndexedAccess"))
    assert compilation.returncode == 0, compilation.stdout


@pytest.mark.usefixtures("compilation")
def test_shop_passes_its_typescript_tests() -> None:
    files = [SHOP / ".build" / "test" / f"{path.stem}.js" for path in sorted((SHOP / "test").glob("*.test.ts"))]
    # Run all tests in one process, so that the packages are loaded only once. Force the process to exit, because it
    # would otherwise wait for the timers that hide the pages' messages.
    check_tests(files, "--test-isolation=none", "--test-force-exit", folder=SHOP)


def test_sources_are_formatted() -> None:
    done = node(str(PACKAGE / "node_modules/prettier/bin/prettier.cjs"), "--check", ".", folder=SHOP)
    assert done.returncode == 0, done.stderr


def test_lock_file_of_the_shop_contains_no_registry_url() -> None:
    packages: dict[str, dict[str, Any]] = json.loads((SHOP / "package-lock.json").read_text())["packages"]
    assert {name for name, entry in packages.items() if "resolved" in entry} == {"node_modules/@orders/client"}


def test_files_of_the_first_page_load_stay_below_the_size_limit(site: Path) -> None:
    sizes = {path.name: len(gzip.compress(path.read_bytes())) for path in site.rglob("*") if path.is_file()}
    assert sum(sizes.values()) < FIRST_LOAD_BYTES, sizes


def test_pages_comply_with_the_content_security_policy(site: Path) -> None:
    page = (site / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", page) == []
    text = "".join(path.read_text() for path in site.rglob("*") if path.suffix in (".css", ".html"))
    assert re.findall(r"(?:src|href|url\()=?[\"'(]?(?:https?:)?//", text) == []
