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
        """Start an execution for the order, and return whether an execution with this name runs now.

        `restarts` says how often the sweep has restarted the order's workflow. The order id and `restarts` determine
        the execution's name. If an execution with this name already runs with the same input, this call changes
        nothing. Return False if Step Functions refuses the name, because the execution with this name has ended or has
        another input.
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
