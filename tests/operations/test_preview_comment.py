"""The pull request's comment."""

import pytest

from operations.preview_comment import GITHUB_LIMIT, comment, marker


def test_a_comment_is_found_again_by_its_first_line() -> None:
    assert comment("dev", "no changes").startswith(marker("dev") + "\n")
    assert marker("dev") != marker("prod")


@pytest.mark.parametrize("preview", ["x" * 1_000_000, "é" * 200_000, "a\n" * 100_000, "`" * 60_000, ""])
def test_a_comment_is_never_longer_than_github_allows(preview: str) -> None:
    assert len(comment("prod", preview)) < GITHUB_LIMIT


def test_a_long_preview_keeps_its_beginning_and_end_and_says_what_is_left_out() -> None:
    text = comment("dev", "FIRST" + "x" * 100_000 + "LAST")
    assert "FIRST" in text
    assert "LAST" in text
    assert "characters left out" in text


def test_a_fence_inside_the_preview_does_not_end_the_comments_fence() -> None:
    assert comment("dev", "before\n```\nafter").count("```") == 2
