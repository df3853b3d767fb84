"""Pulumi programs that contain only the order workflow or the event bus, with stand-ins for the resources they need."""

from __future__ import annotations

from typing import Any, Final

import pulumi_aws as aws

from components.aws.naming import Naming
from components.events.event_bus import EventBus, EventBusArgs
from components.functions.function import FunctionContext
from components.workflow.order_workflow import OrderWorkflow, OrderWorkflowArgs
from tests.support.graph import ACCOUNT, REGION, Graph, run

LOG_KEY: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/logs-key"
STANDARD: Final = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:orders-dev-order-standard"


def record_workflow(**changes: Any) -> Graph:
    """Return the resource graph of a program that contains only an OrderWorkflow.

    `changes` override arguments of the component.
    """
    arguments: dict[str, Any] = {
        "context": context(),
        "standard_timeout_s": 900,
    }

    def program() -> None:
        tables: dict[str, Any] = {"orders_table": _table("orders"), "inventory_table": _table("inventory")}
        OrderWorkflow("order-workflow", OrderWorkflowArgs(**{**arguments, **tables, **changes}))

    return run(program, "dev", config={})


def record_event_bus(**changes: Any) -> Graph:
    """Return the resource graph of a program that contains only an EventBus.

    `changes` override arguments of the component.
    """
    arguments: dict[str, Any] = {
        "context": context(),
        "state_machine_arn": STANDARD,
        "standard_timeout_s": 900,
        "late_orders_index": "late",
        "sweep_minutes": 5,
        "archive_retention_days": 7,
        "mail_sender": "orders@example.com",
        "mail_max_send_rate": 14,
        "create_identity": False,
    }

    def program() -> None:
        given: dict[str, Any] = {
            "orders_table": _table("orders", stream=True),
            "users_table": _table("users"),
            "idempotency_table": _table("idempotency"),
            "analytics_bucket": aws.s3.Bucket("analytics-bucket", bucket="orders-dev-analytics-1"),
        }
        EventBus("events", EventBusArgs(**{**arguments, **given, **changes}))

    return run(program, "dev", config={})


def context(**changes: Any) -> FunctionContext:
    """Return the arguments that all Lambda functions of a program share. `changes` override or add arguments."""
    fields: dict[str, Any] = {
        "naming": Naming(project="orders", stack="dev"),
        "region": REGION,
        "account_id": ACCOUNT,
        "layer_arns": [],
        "architecture": "arm64",
        "log_level": "INFO",
        "log_retention_days": 30,
        "log_key_arn": LOG_KEY,
    }
    return FunctionContext(**{**fields, **changes})


def _table(role: str, *, stream: bool = False) -> aws.dynamodb.Table:
    attributes: list[aws.dynamodb.TableAttributeArgsDict] = [{"name": "id", "type": "S"}]
    return aws.dynamodb.Table(
        role,
        name=f"orders-dev-{role}",
        hash_key="id",
        attributes=attributes,
        billing_mode="PAY_PER_REQUEST",
        stream_enabled=stream or None,
        stream_view_type="NEW_AND_OLD_IMAGES" if stream else None,
    )
