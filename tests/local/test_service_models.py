"""Tests that a deployment's AWS calls obey the enums, patterns, lengths and ranges in the service models of AWS."""

from __future__ import annotations

import dataclasses
import io
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from local import emulator, owner, project
from local import up as up_module
from local.aws import Aws
from local.instance import ROOT, Instance
from local.progress import Progress
from tests.conftest import STACKS
from tests.support.graph import Graph, stack_config
from tests.support.service_models import violations


class JudgedAws(Aws):
    """AWS clients that compare each call with the service model before they send it."""

    found: list[str]
    calls: int

    def __init__(self, instance: Instance, region: str) -> None:
        super().__init__(instance, region)
        self.judged: set[str] = set()

    def client(self, service: str) -> Any:
        made = super().client(service)
        if service not in self.judged:
            self.judged.add(service)
            made.meta.events.register("provide-client-params.*.*", self.judge)
        return made

    @classmethod
    def judge(cls, params: Any, model: Any, **_: Any) -> None:
        cls.calls += 1
        cls.found += [f"{model.name}{found}" for found in violations(model.input_shape, params)]


def no_seeds(*_: object) -> dict[str, str]:
    return {}


@pytest.mark.parametrize("stack", sorted({*STACKS} - {"local"}))
def test_every_call_of_a_deployment_obeys_its_service_model(
    stack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, graph_of: Callable[[str], Graph]
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    instance = Instance(port=port, home=tmp_path)
    config = stack_config(stack)
    # Deploy the stack without its firewall and site, because the emulator supports neither AWS WAF nor CloudFront.
    for area, missing in {"orders:api": {"waf": False}, "orders:site": {"enabled": False}}.items():
        config[area] = json.dumps({**json.loads(config[area]), **missing})
    source = dataclasses.replace(project.load(ROOT), config=config)
    monkeypatch.setattr(up_module, "Aws", JudgedAws)
    # Skip the sample users and products: creating them requires a sign-in with a password, which the stack prod does
    # not allow.
    monkeypatch.setattr(up_module.seeds, "plant", no_seeds)
    JudgedAws.found, JudgedAws.calls = [], 0
    try:
        up_module.up(instance, source, Progress(io.StringIO()), owner=owner.this_process())
    finally:
        emulator.stop(instance)
    left_out = ("waf", "site-")
    resources = [
        made
        for made in graph_of(stack).resources
        if made.custom and not any(each in f"{made.type} {made.name}" for each in left_out)
    ]
    assert JudgedAws.calls >= len(resources), "creating each resource requires at least one call"
    assert JudgedAws.found == []


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("lambda", "CreateFunction", {"Runtime": "python4"}),
        ("lambda", "CreateFunction", {"MemorySize": 64}),
        ("lambda", "CreateAlias", {"Name": "live!"}),
        ("events", "PutRule", {"Name": "a rule"}),
        ("sqs", "SendMessageBatch", {}),
        ("dynamodb", "CreateTable", {"BillingMode": "FREE"}),
        ("logs", "CreateLogGroup", {"logGroupName": "a" * 513}),
        ("stepfunctions", "CreateStateMachine", {"type": "FAST"}),
    ],
)
def test_call_that_violates_a_service_model_is_detected(
    service: str, operation: str, parameters: dict[str, Any]
) -> None:
    shape = botocore.session.get_session().get_service_model(service).operation_model(operation).input_shape
    assert bool(list(violations(shape, parameters))) == bool(parameters)
