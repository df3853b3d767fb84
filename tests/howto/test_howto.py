"""Tests that the pages in docs/how-to work: a reader who follows them changes few files, and all checks pass.

No page depends on another page, so the tests follow all pages in the same copy of the checkout. They run `make
generate` and the pages' pytest commands only once, after all edits.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from components.functions import archives
from tests.commands import clones
from tests.howto import pages
from tests.howto.pages import Page
from tests.support.graph import ROOT

# For each page of docs/how-to: how many files may change when a reader follows the page, and how many of these files
# the reader may edit by hand.
LIMITS: Final = {
    "route": (10, 6),
    "function": (10, 6),
    "event": (12, 12),
    "alarm": (3, 3),
    "setting": (5, 5),
    "stack": (5, 5),
}
GENERATE: Final = "make generate"
PYTEST: Final = ".venv/bin/python -m pytest -q "
# After all pages were followed, these tests run in addition to the tests that the pages list.
CHECKS: Final = (
    "tests/howto/resources.py",
    "tests/rules/test_architecture.py",
    "tests/rules/test_documents.py",
    "tests/rules/test_imports.py",
)
# With these options, make treats the virtual environment as up to date and installs no packages. The copy of the
# checkout uses the .venv of the original checkout.
INSTALLED: Final = ("-o", ".venv/made", "-o", ".venv/installed-dev")


@dataclass(frozen=True)
class Followed:
    """A copy of the checkout in which every page was followed."""

    checkout: Path
    pages: dict[str, Page]
    commands: list[str]
    """All `make generate` and pytest commands of the pages. They run only after the edits of all pages."""

    def run(self, *command: str) -> str:
        """Run a command in the copy. Return its output."""
        done = subprocess.run(  # noqa: S603 - the commands come from the pages
            command,
            cwd=self.checkout,
            env=clones.plain_environment() | {"PYTHONPATH": "policy:functions"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def changed(self) -> set[str]:
        """Return the names of the files that the pages added or changed, except files that git ignores."""
        listed = self.run("git", "ls-files", "-z", "--modified", "--others", "--exclude-standard")
        return set(filter(None, listed.split("\0")))


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Followed:
    """A copy of the checkout in which every page was followed."""
    checkout = tmp_path_factory.mktemp("howto") / "orders"
    clones.copy(clones.sources(), checkout)
    (checkout / ".venv").symlink_to(ROOT / ".venv")
    found = {path.stem: Page(path) for path in sorted(pages.FOLDER.glob("*.md"))}
    made = Followed(checkout, found, [])
    made.run("git", "init", "--quiet")
    made.run("git", "add", "--all")
    if archives.BUILD.exists():
        shutil.copytree(archives.BUILD, checkout / archives.BUILD.name)

    def run(command: str) -> None:
        if command == GENERATE or command.startswith(PYTEST):
            made.commands.append(command)
        else:
            made.run("sh", "-c", command)

    for page in found.values():
        page.follow(checkout, run)
    assert GENERATE in made.commands
    made.run("make", *INSTALLED, "generate")
    return made


@pytest.mark.parametrize("name", LIMITS)
def test_how_to_page_changes_few_files(name: str, followed: Followed) -> None:
    page = followed.pages[name]
    in_total, by_hand = LIMITS[name]
    assert 0 < len(page.written) <= by_hand
    assert len(page.written | page.generated) <= in_total, sorted(page.written | page.generated)


def test_how_to_pages_list_every_file_that_their_steps_change(followed: Followed) -> None:
    listed = [page.written | page.generated for page in followed.pages.values()]
    assert set().union(*listed) == followed.changed()


@pytest.mark.parametrize("name", LIMITS)
def test_how_to_page_states_how_many_files_it_changes(name: str, followed: Followed) -> None:
    page = followed.pages[name]
    text = " ".join(page.text.split())
    assert f"You write {len(page.written)} file" in text
    assert not page.generated or f"`make generate` updates {len(page.generated)} more" in text


@pytest.mark.full
def test_checks_pass_after_all_how_to_pages_are_followed(followed: Followed) -> None:
    own = [shlex.split(each.removeprefix(PYTEST)) for each in followed.commands if each.startswith(PYTEST)]
    tests = dict.fromkeys([*CHECKS, *(path for paths in own for path in paths)])
    followed.run(sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *tests)


def test_code_of_how_to_pages_passes_the_formatter_and_the_linter(followed: Followed) -> None:
    python = sorted(name for name in followed.changed() if name.endswith(".py"))
    ruff = str(ROOT / ".venv" / "bin" / "ruff")
    followed.run(ruff, "format", "--check", "--no-cache", *python)
    followed.run(ruff, "check", "--no-cache", *python)


STEP: Final = "# A page\n\n1. In `a.txt`, before the line `b`, add:\n\n   ```text\n   {}\n   ```\n"


def page_of(tmp_path: Path, text: str) -> Page:
    (tmp_path / "page.md").write_text(text, encoding="utf-8")
    return Page(tmp_path / "page.md")


def follow(page: Page, checkout: Path) -> None:
    def run(command: str) -> None:
        raise AssertionError(command)

    page.follow(checkout, run)


def test_how_to_step_adds_code_before_the_line_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a\n  b\n", encoding="utf-8")
    follow(page_of(tmp_path, STEP.format("new")), tmp_path)
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "a\nnew\n  b\n"


@pytest.mark.parametrize("content", ["a\n", "b\nb\n"], ids=["nowhere", "twice"])
def test_how_to_step_that_names_a_missing_or_repeated_line_is_reported(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match="allowed: exactly one"):
        follow(page_of(tmp_path, STEP.format("new")), tmp_path)


@pytest.mark.parametrize(
    ("words", "instead", "said"),
    [
        ("add:", "write:", "unknown form of a step"),
        ("In `a.txt`, before the line `b`, add:", "Add:", "no sentence says where"),
    ],
)
def test_how_to_step_in_an_unknown_form_is_reported(words: str, instead: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=said):
        follow(page_of(tmp_path, STEP.replace(words, instead)), tmp_path)
