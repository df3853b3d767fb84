"""Tests of the local engine, which runs Pulumi programs: the values that a program gets, and the calls to the sink.

The sink is the object to which the engine passes each resource, and which creates the resource.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from engine.program import EngineError, Registration, Stack, run

ACCOUNT, REGION = "111122223333", "eu-west-1"


class Recorder:
    """A sink that stores all resources of a program. Each resource gets the output `arn`."""

    account, region = ACCOUNT, REGION

    def __init__(self) -> None:
        self.registered: dict[str, Registration] = {}
        self.with_outputs: list[str] = []

    def register(self, registration: Registration) -> tuple[str, Mapping[str, Any]]:
        self.registered[registration.name] = registration
        return f"{registration.name}-id", {**registration.known_inputs, "arn": f"arn:{registration.name}"}

    def register_outputs(self, urn: str) -> None:
        self.with_outputs.append(urn)


@pytest.fixture
def sink() -> Recorder:
    return Recorder()


def exports(program: Callable[[], None], sink: Recorder, **config: str) -> dict[str, Any]:
    return run(program, Stack(project="demo", name="test", config=config), sink)


def test_program_sees_the_account_and_the_region_of_the_sink(sink: Recorder) -> None:
    def program() -> None:
        pulumi.export("account", aws.get_caller_identity().account_id)
        pulumi.export("region", aws.get_region().region)
        pulumi.export("partition", aws.get_partition_output().partition)

    assert exports(program, sink) == {"account": ACCOUNT, "region": REGION, "partition": "aws"}


def test_unknown_data_source_is_refused_with_its_name_in_the_error(sink: Recorder) -> None:
    with pytest.raises(EngineError, match=r"getBillingServiceAccount; allowed: .*getRegion.* Remedy: add"):
        exports(lambda: pulumi.export("id", aws.get_billing_service_account().id), sink)


def test_reading_a_resource_of_another_program_is_refused(sink: Recorder) -> None:
    with pytest.raises(EngineError, match="Topic 'other', which it does not create"):
        exports(lambda: pulumi.export("arn", aws.sns.Topic.get("other", "arn:aws:sns:::other").arn), sink)


def test_sink_receives_values_instead_of_pulumi_outputs(sink: Recorder) -> None:
    def program() -> None:
        aws.sqs.Queue("queue", name=pulumi.Output.secret("q"), message_retention_seconds=60, tags={"a": "b"})

    exports(program, sink)
    assert sink.registered["queue"].inputs == {"name": "q", "messageRetentionSeconds": 60, "tags": {"a": "b"}}
    assert isinstance(sink.registered["queue"].inputs["messageRetentionSeconds"], int)


def test_sink_receives_the_parents_and_dependencies_of_resources(sink: Recorder) -> None:
    def program() -> None:
        component = pulumi.ComponentResource("demo:index:Part", "part")
        options = pulumi.ResourceOptions(parent=component, protect=True)
        key = aws.kms.Key("key", opts=options)
        aws.sqs.Queue("queue", kms_master_key_id=key.arn, opts=options)
        component.register_outputs({})
        pulumi.export("key", key.id)

    assert exports(program, sink) == {"key": "key-id"}
    part, key, queue = (sink.registered[name] for name in ("part", "key", "queue"))
    assert (part.custom, key.custom, key.protect, part.protect) == (False, True, True, False)
    assert (key.parent, queue.parent) == (part.urn, part.urn)
    assert part.urn in sink.with_outputs
    assert queue.inputs["kmsMasterKeyId"] == "arn:key"
    assert queue.made_from["kmsMasterKeyId"] == {key.urn}
    assert queue.dependencies == (key.urn,)


def test_preview_leaves_unknown_exports_empty() -> None:
    class Nothing(Recorder):
        def register(self, registration: Registration) -> tuple[str, Mapping[str, Any]]:
            return "", registration.known_inputs

    def program() -> None:
        topic = aws.sns.Topic("topic", name="given")
        pulumi.export("arn", topic.arn)
        pulumi.export("name", topic.name)

    where = Stack(project="demo", name="test", config={}, preview=True)
    assert run(program, where, Nothing()) == {"arn": None, "name": "given"}


def test_program_reads_the_configuration_of_its_stack(sink: Recorder) -> None:
    def program() -> None:
        pulumi.export("where", f"{pulumi.get_project()}/{pulumi.get_stack()}/{pulumi.Config().require('size')}")

    assert exports(program, sink, **{"demo:size": "small"}) == {"where": "demo/test/small"}


def test_engine_raises_the_error_of_the_program(sink: Recorder) -> None:
    def program() -> None:
        aws.sqs.Queue("queue", name=pulumi.Output.from_input("x").apply(lambda _: 1 / 0))  # pyright: ignore[reportArgumentType]

    with pytest.raises(ZeroDivisionError):
        exports(program, sink)
