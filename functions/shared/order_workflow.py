"""Starts STANDARD executions of the order workflow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shared.aws import error_code
from shared.domain.executions import execution_name
from shared.domain.orders import Order

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class OrderWorkflow:
    """Starts the STANDARD workflow of an order, at most once under each execution name."""

    def __init__(self, client: SFNClient, *, state_machine_arn: str) -> None:
        self._client = client
        self._state_machine_arn = state_machine_arn

    def start(self, order: Order, *, restarts: int = 0) -> bool:
        """Start the order's execution number `restarts` (the first is 0), and return whether this execution runs now.

        If that execution already runs with the same input, starting it again changes nothing. Return False if Step
        Functions refuses the name, because the execution has ended or has another input.
        """
        try:
            self._client.start_execution(
                stateMachineArn=self._state_machine_arn,
                name=execution_name(order["order_id"], restarts),
                input=json.dumps({"order": order}),
            )
        except ClientError as error:
            if error_code(error) != "ExecutionAlreadyExists":
                raise
            return False
        return True
