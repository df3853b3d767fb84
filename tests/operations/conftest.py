"""A fixture with fakes of all AWS services that a redrive calls."""

from __future__ import annotations

import boto3
import pytest

from local import aws
from tests.operations.redrive_world import World


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(boto3, "client", made.client)

    def session(_region: str) -> World:
        return made

    monkeypatch.setattr(aws, "session", session)
    return made
