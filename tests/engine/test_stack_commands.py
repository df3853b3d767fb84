"""Tests that the operators' commands work with the real Pulumi CLI, and do not change which stack is selected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.engine import Engine, copy_of
from tests.support.graph import ROOT


def test_prerequisites_check_distinguishes_a_missing_stack_from_an_unreachable_backend(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "home", copy_of(ROOT, tmp_path / "orders"), {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    engine.create("dev")
    engine.create("prod")

    found = engine.operation("prerequisites", "dev")
    assert (found.code, found.out) == (0, ""), found.said
    assert found.err.startswith("warning: the AWS account was not checked: ")
    assert engine.must("stack", "--show-name").out.strip() == "prod"

    engine.must("stack", "rm", "dev", "--yes", "--preserve-config")
    missing = engine.operation("prerequisites", "dev")
    assert missing.code == 1
    assert missing.err.startswith(
        "missing: stack dev does not exist in this backend: no stack named 'dev' found; if somebody deployed it before"
    )
    away = {"PULUMI_BACKEND_URL": "https://127.0.0.1:9", "PULUMI_ACCESS_TOKEN": "pul-test"}
    silent = engine.operation("prerequisites", "dev", variables=away)
    assert silent.code == 1
    assert silent.err.startswith("missing: stack dev: the Pulumi CLI says: ")
    assert "127.0.0.1:9" in silent.err
    assert silent.err.count("\n") == 1
    assert "does not exist" not in silent.err


@pytest.mark.full
def test_destroy_lists_what_stays_and_refuses_to_delete_protected_resources(deployed: Callable[[str], Engine]) -> None:
    engine = deployed("dev")
    said = engine.operation("destroy", "dev")
    assert said.code == 0, said.said
    assert "  4 Table: data-idempotency, data-inventory, data-orders, data-users\n" in said.out
    assert "stays for 7 days: KMS key logs-key; in this time, `aws kms cancel-key-deletion --key-id key-" in said.out
    assert "/aws/apigateway/welcome" in said.out

    engine.cloud.forget_calls()
    table = next(each["urn"] for each in engine.state("dev") if each["urn"].endswith("::data-orders"))
    engine.must("state", "protect", table, "--stack", "dev", "--yes")
    refused = engine.operation("destroy", "dev")
    assert refused.code == 1
    assert refused.err.startswith("destroy: stack dev: 1 resource(s) are protected: data-orders; nothing was deleted; ")
    assert "set `deletionProtection: false` under orders:data" in refused.err
    assert engine.cloud.calls() == []

    # The state still protects the table, because of `state protect` above. An update removes this protection, because
    # `deletionProtection` is false in dev.
    engine.must_up("dev")
    assert engine.operation("destroy", "dev").code == 0
    engine.must(*engine.command_of("destroy", "STACK=dev"))
    # API Gateway's log role and the account setting that contains it stay on AWS, because other stacks of the account
    # may use them.
    stays = ("rest-api-account", "rest-api-log-role", "rest-api-log-policy")
    assert [line for line in engine.differences() if not any(f"::{name}:" in line for name in stays)] == []
