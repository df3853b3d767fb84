"""Tests that an update with a saved plan makes exactly the changes that the preview showed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.engine import Engine, operations

STACK = "dev"


@pytest.mark.full
def test_update_with_a_plan_refuses_changes_that_were_not_previewed(deployed: Callable[[str], Engine]) -> None:
    engine = deployed(STACK)
    settings, plan = engine.checkout / f"Pulumi.{STACK}.yaml", str(engine.checkout / "plan.json")
    before = settings.read_text(encoding="utf-8")
    previewed = before.replace("analyticsRetentionDays: 30", "analyticsRetentionDays: 31")
    assert previewed != before
    settings.write_text(previewed, encoding="utf-8")
    engine.must("preview", "--stack", STACK, "--save-plan", plan)

    settings.write_text(previewed.replace("logRetentionDays: 14", "logRetentionDays: 30"), encoding="utf-8")
    refused = engine.run("up", "--stack", STACK, "--yes", "--plan", plan)
    assert refused.code != 0
    assert "violates plan" in refused.said
    assert engine.cloud.calls() == []

    settings.write_text(previewed, encoding="utf-8")
    engine.must_up(STACK, "--plan", plan)
    assert operations(engine.cloud.calls()) == {"update": ["data-analytics-lifecycle"]}


def test_pulumi_cli_older_than_the_required_version_refuses_to_run(deployed: Callable[[str], Engine]) -> None:
    """The test raises the minimum version in Pulumi.yaml, so that the installed Pulumi CLI is too old."""
    engine = deployed(STACK)
    project = engine.checkout / "Pulumi.yaml"
    text = project.read_text(encoding="utf-8")
    pinned = (engine.checkout / ".pulumi-version").read_text(encoding="utf-8").strip()
    assert f'requiredPulumiVersion: ">={pinned}"' in text
    project.write_text(text.replace(f">={pinned}", ">=99.0.0"), encoding="utf-8")
    refused = engine.run("preview", "--stack", STACK)
    assert refused.code != 0
    assert "99.0.0" in refused.said
