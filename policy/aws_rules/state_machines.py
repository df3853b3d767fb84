"""Rules for Step Functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aws_rules.model import Resource, of_resource

STATE_MACHINE: Final = "aws:sfn/stateMachine:StateMachine"


@of_resource(STATE_MACHINE, ids=("AwsSolutions-SF1",))
def state_machine_logs_every_event(machine: Resource) -> Iterator[str]:
    """A state machine logs every event of its executions."""
    if machine.at("loggingConfiguration", "level") != "ALL":
        yield f"loggingConfiguration.level: got {machine.at('loggingConfiguration', 'level')}; set ALL"


@of_resource(STATE_MACHINE, ids=("CKV_AWS_285",))
def state_machine_logs_its_data(machine: Resource) -> Iterator[str]:
    """A state machine logs the input and output of its steps."""
    if not machine.at("loggingConfiguration", "includeExecutionData"):
        yield "set loggingConfiguration.includeExecutionData"


@of_resource(STATE_MACHINE, ids=("AwsSolutions-SF2", "Serverless-StepFunctionStateMachineXray", "CKV_AWS_284"))
def state_machine_is_traced(machine: Resource) -> Iterator[str]:
    """X-Ray traces each state machine."""
    if not machine.at("tracingConfiguration", "enabled"):
        yield "set tracingConfiguration.enabled"


RULES: Final = (state_machine_logs_every_event, state_machine_logs_its_data, state_machine_is_traced)
