"""Tests that the linters Redocly and Spectral find no problem in the OpenAPI documents, and that `make docs` works."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from components.aws import openapi
from tests.contracts.test_openapi import DOCUMENTS

ROOT: Final = openapi.CONTRACTS.parent
ENVIRONMENT: Final = Path(sys.prefix)
PACKAGES: Final = ENVIRONMENT / "openapi" / "node_modules"
QUIET: Final = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}


def run(*arguments: str, folder: Path) -> str:
    """Run a Node.js program in `folder`. Return the output if the program fails or prints a warning, otherwise ""."""
    assert PACKAGES.is_dir(), f"{PACKAGES} is missing; run `make test`, which installs it"
    command = [str(ENVIRONMENT / "bin" / "node"), *arguments]
    done = subprocess.run(  # noqa: S603 - the command runs an npm package that the lock file pins
        command, cwd=folder, env={**os.environ, **QUIET}, capture_output=True, text=True, check=False, timeout=120
    )
    said = done.stdout + done.stderr
    return said if done.returncode or re.search("warning", said, re.IGNORECASE) else ""


def redocly(folder: Path) -> str:
    return run(str(PACKAGES / "@redocly/cli/bin/cli.js"), "lint", "--extends=recommended", *DOCUMENTS, folder=folder)


def spectral(folder: Path) -> str:
    rules = str(ROOT / "tools" / "openapi" / "spectral.yaml")
    program = str(PACKAGES / "@stoplight/spectral-cli/dist/index.js")
    return run(program, "lint", "--ruleset", rules, "--fail-severity", "hint", *DOCUMENTS, folder=folder)


def test_redocly_finds_no_problem_in_the_openapi_documents() -> None:
    assert redocly(openapi.CONTRACTS) == ""


def test_spectral_finds_no_problem_in_the_openapi_documents() -> None:
    assert spectral(openapi.CONTRACTS) == ""


def test_linters_report_parts_that_an_openapi_document_lacks(tmp_path: Path) -> None:
    removed = {
        r"  license:\n.*\n.*\n": (redocly, "info-license"),
        r"  contact:\n.*\n": (spectral, "info-contact"),
        r"      description: Returns the product .*\n": (spectral, "operation-description"),
        r"        total: 9600\n": (redocly, "no-invalid-media-type-examples"),
    }
    for name in DOCUMENTS:
        text = (openapi.CONTRACTS / name).read_text(encoding="utf-8")
        for pattern in removed:
            text = re.sub(pattern, "", text)
        (tmp_path / name).write_text(text, encoding="utf-8")
    reports = {linter: linter(tmp_path) for linter in (redocly, spectral)}
    for linter, rule in removed.values():
        assert rule in reports[linter]


def test_documentation_pages_load_nothing_from_other_sites(tmp_path: Path) -> None:
    """The pages that `make docs` writes may link to other sites, but must not load anything from them."""
    (tmp_path / ".venv").symlink_to(ENVIRONMENT)
    for name in ("contracts", "tools"):
        (tmp_path / name).symlink_to(ROOT / name)
    command = ["sh", "tools/openapi/pages.sh", ".venv/openapi"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=120)  # noqa: S603 - the script is in this repository
    pages = tmp_path / ".build" / "docs"
    assert sorted(page.name for page in pages.iterdir()) == ["http-api.html", "index.html", "rest-api.html"]
    for page in pages.iterdir():
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"<(script|link|img|iframe)\b[^>]*(src|href)=.https?:", text), page.name
        assert page.name == "index.html" or "Unauthorized" in text
