"""Scenarios in which an operator deploys a resource with a role of the platform, and AWS checks the role's policies."""

from __future__ import annotations

from collections.abc import Generator

from tests.journeys.people import unique
from tests.proof.least_privilege.audited_stack import AuditedStack
from tests.proof.least_privilege.scenario import Check, Scenario, ready


def function_deployed(function: str) -> Scenario:
    """Return a scenario that creates another function with the role of `function`.

    When a function is created, Lambda checks that it is allowed to assume the role. If the function has a dead-letter
    queue, Lambda also checks that the role is allowed to send messages to this queue.
    """

    def scenario(audited: AuditedStack) -> Generator[Check]:
        arn: str = audited.stack.ops["functions"][function]
        found = audited.call("lambda", "get_function_configuration", FunctionName=arn)
        name = unique("privilege")
        yield ready
        audited.call(
            "lambda",
            "create_function",
            FunctionName=name,
            Role=found["Role"],
            Runtime="provided.al2023",
            Handler="handler",
            Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
            DeadLetterConfig=found.get("DeadLetterConfig", {}),
        )
        audited.call("lambda", "delete_function", FunctionName=name)
        yield ready

    return scenario


def mapping_deployed(function: str) -> Scenario:
    """Return a scenario that creates a second event source mapping for each event source of `function`."""

    def scenario(audited: AuditedStack) -> Generator[Check]:
        arn: str = audited.stack.ops["functions"][function]
        found = audited.call("lambda", "list_event_source_mappings", FunctionName=arn)["EventSourceMappings"]
        yield ready
        for mapping in found:
            made = audited.call(
                "lambda",
                "create_event_source_mapping",
                # Create the mapping for the function instead of its alias, because the alias already has a mapping for
                # this event source.
                FunctionName=arn.rpartition(":")[0],
                EventSourceArn=mapping["EventSourceArn"],
                StartingPosition=mapping.get("StartingPosition"),
                DestinationConfig=mapping.get("DestinationConfig"),
                Enabled=False,
            )
            audited.call("lambda", "delete_event_source_mapping", UUID=made["UUID"])
        yield ready

    return scenario


def machine_deployed(kind: str) -> Scenario:
    """Return a scenario that creates a copy of a state machine."""

    def scenario(audited: AuditedStack) -> Generator[Check]:
        arn = audited.stack.ops["stateMachines"][kind]
        found = audited.call("stepfunctions", "describe_state_machine", stateMachineArn=arn)
        yield ready
        made = audited.call(
            "stepfunctions",
            "create_state_machine",
            name=unique("privilege"),
            definition=found["definition"],
            roleArn=found["roleArn"],
            type=found["type"],
            loggingConfiguration=found["loggingConfiguration"],
        )
        audited.call("stepfunctions", "delete_state_machine", stateMachineArn=made["stateMachineArn"])
        yield ready

    return scenario
