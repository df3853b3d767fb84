"""Tests that the documents match the resource graph, the Makefile and the settings, and that their links work."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import settings
from components.functions import archives
from tests.support.graph import ROOT, Graph
from tools.docs import generate as documents

MARKDOWN = sorted(path for path in ROOT.glob("**/*.md") if not {".venv", "node_modules", ".local"} & set(path.parts))
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
# A decision document must have the first three of these headings. The other two are optional.
HEADINGS = ("Question", "Decision", "Why", "Rejected alternatives", "Consequences")


@pytest.mark.parametrize("path", documents.DOCUMENTS, ids=lambda path: path.name)
def test_generated_parts_of_documents_are_up_to_date(path: Path) -> None:
    assert path.read_text() == documents.rendered(path), "run `make generate`"


def test_outdated_document_or_missing_markers_are_detected() -> None:
    text = (ROOT / "docs" / "permissions.md").read_text()
    assert documents.between(text, "functions", "nothing") != text
    with pytest.raises(ValueError, match="markers are missing"):
        documents.between(text, "nothing", "")


def test_generating_documents_builds_no_lambda_archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(archives, "BUILD", tmp_path)
    documents.recorded.__wrapped__("dev")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_within_the_repository_point_to_existing_files(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_decision_document_has_the_usual_headings_in_order(path: Path) -> None:
    found = re.findall(r"^## (.+)$", path.read_text(), re.MULTILINE)
    usual = [heading for heading in HEADINGS if heading in found or heading in HEADINGS[:3]]
    # A decision document can have further headings after the usual ones.
    assert found[: len(usual)] == usual


def test_contributing_lists_every_folder() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    modules = [path.relative_to(ROOT).parts[0] for path in (*ROOT.glob("*/*.py"), *ROOT.glob("*/*/*.py"))]
    code = {folder for folder in modules if not folder.startswith(".")} | {"docs", "workflows"}
    kinds = {f"tests/{path.parent.name}" for path in (ROOT / "tests").glob("*/*.py")}
    assert {folder for folder in code if f"`{folder}/`" not in text} == set()
    assert {folder for folder in kinds if f"`{folder}`" not in text} == set()


def test_contributing_links_to_every_how_to_page() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    pages = {str(path.relative_to(ROOT)) for path in (ROOT / "docs" / "how-to").glob("*.md")}
    assert set(re.findall(r"\((docs/how-to/[^)]+)\)", text)) == pages


def test_every_make_command_in_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in MARKDOWN:
        for command in re.findall(r"`make ([a-z]+)|^(?:\$ |    )make ([a-z]+)", path.read_text(), re.MULTILINE):
            assert "".join(command) in targets, (path.name, command)


def test_readme_lists_every_area_of_the_settings() -> None:
    text = (ROOT / "README.md").read_text()
    assert re.findall(r"^\| `orders:(\w+)` \|", text, re.MULTILINE) == list(settings.AREAS)


def test_readme_shows_each_component_in_the_output_of_make_up(graph_of: Callable[[str], Graph]) -> None:
    """The test compares only the components' names. The numbers of resources in the README are only examples."""
    graph = graph_of("local")
    by_urn = {made.urn for made in graph.resources}
    components = {made.name for made in graph.resources if made.parent not in by_urn}
    shown = re.findall(r"^  ([a-z-]+) +\d+ resources", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert sorted(shown) == sorted(components)
