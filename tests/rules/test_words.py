"""Tests that no document, comment or string contains unclear words or British spellings."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.graph import ROOT

# The unwanted words. Each key is the pattern of a word, and its value says what to write instead. docs/glossary.md
# defines the project's terms.
INSTEAD: Final = {
    r"catalogue": "catalog",
    r"(neighb|behavi|col|fav|hon)our": "American -or",
    r"(organ|recogn|normal|serial|initial|optim|minim|author|util)is(e|ed|es|ing|ation)": "American -ize",
    r"licence": "license",
    r"mend(s|ed|ing)?": "fix, repair or correct",
    r"anew": "again",
    r"whom": "a sentence with a subject",
    r"whoever": "the role of the person, such as operator",
    r"of ours": "of this platform, or the name of the part",
    r"stands (in|at|for nothing|where)": "is, or appears",
}
PATTERN: Final = re.compile("|".join(rf"\b({word})\b" for word in INSTEAD), re.IGNORECASE)
FOLDERS: Final = (
    *("cli", "components", "contracts", "docs", "emulator_fixes", "engine", "functions", "local", "operations"),
    *("policy", "tests", "tools", ".github"),
)
# These two files list the unwanted words, so they are not checked.
EXEMPT: Final = {"tests/rules/test_words.py", "docs/glossary.md"}


def passages(name: str, text: str) -> Iterator[tuple[int, str]]:
    """Yield the line number and text of all prose: each line of a document, or each comment and string in Python."""
    if not name.endswith(".py"):
        yield from enumerate(re.sub(r"`[^`]*`", "", text).splitlines(), 1)
        return
    prose = (tokenize.COMMENT, tokenize.STRING, tokenize.FSTRING_MIDDLE)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in prose:
            yield token.start[0], re.sub(r"`[^`]*`", "", token.string)


def found(name: str, text: str) -> list[str]:
    """Return one line for each unwanted word in `text`: the file and line, the word, and what to write instead."""
    wrong: list[str] = []
    for line, passage in passages(name, text):
        for match in PATTERN.finditer(passage):
            index = next(number for number, word in enumerate(INSTEAD) if re.fullmatch(word, match[0], re.IGNORECASE))
            wrong.append(f"{name}:{line}: {match[0]}; write {[*INSTEAD.values()][index]}")
    return wrong


def files() -> list[Path]:
    """Return all documents, Python files and workflows of the project."""
    inside = [
        path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".md", ".yml")
    ]
    generated = ROOT / "functions" / "shared"
    return sorted(
        path
        for path in [*inside, *ROOT.glob("*.md"), *ROOT.glob("*.py"), *ROOT.glob("*.yaml"), ROOT / "Makefile"]
        if path.relative_to(ROOT).as_posix() not in EXEMPT
        and not path.is_relative_to(generated / "checks")
        and not path.is_relative_to(generated / "sdk")
    )


def test_texts_contain_no_unwanted_words() -> None:
    wrong = [line for path in files() for line in found(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("page.md", "The neighbour waits."),
        ("module.py", "# Nobody mends it.\n"),
        ("module.py", '"""The catalogue of products."""\n'),
        ("module.py", 'raise ValueError(f"{name}: an error of ours")\n'),
        ("module.py", "# A color is serialised.\n"),
    ],
)
def test_unwanted_word_is_found(name: str, text: str) -> None:
    assert len(found(name, text)) == 1


@pytest.mark.parametrize(("name", "text"), [("page.md", "The index `catalogue`."), ("module.py", "whom = 1\n")])
def test_code_is_not_checked_for_unwanted_words(name: str, text: str) -> None:
    assert found(name, text) == []
