"""The documents' tables and diagrams are those of the resource graph, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import documents
from tests.support.graph import ROOT

MARKDOWN = sorted(path for path in ROOT.glob("**/*.md") if not {".venv", "node_modules", ".local"} & set(path.parts))


@pytest.mark.parametrize("path", documents.DOCUMENTS, ids=lambda path: path.name)
def test_what_is_made_from_the_graph_is_up_to_date(path: Path) -> None:
    assert path.read_text() == documents.rendered(path), "run `make generate`"


def test_a_document_that_is_out_of_date_is_caught() -> None:
    path = documents.DOCUMENTS[0]
    text = path.read_text()
    assert documents.between(text, "functions", "nothing") != text
    with pytest.raises(ValueError, match="no markers for nothing"):
        documents.between(text, "nothing", "")


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_within_the_repository_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
        assert (path.parent / target).exists(), target
