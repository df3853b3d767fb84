"""The JavaScript in docs/frontend.md is the code that the browser tests run."""

from __future__ import annotations

import re

import pytest

from tests.browser import node
from tests.support.graph import ROOT

BLOCKS = re.findall(
    r"^```js\n(.*?)^```$", (ROOT / "docs" / "frontend.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)
PAGES = ("apis", "oidc", "amplify", "order")


@pytest.mark.parametrize("page", PAGES)
def test_frontend_document_contains_the_code_of_each_test_page(page: str) -> None:
    code = (node.PAGES / f"{page}.js").read_text(encoding="utf-8").partition("\n// The rest of this file")[0]
    assert code in BLOCKS


def test_frontend_document_contains_only_code_of_the_test_pages() -> None:
    assert len(BLOCKS) == len(PAGES)
