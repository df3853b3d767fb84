"""Rules for DynamoDB."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aws_rules.model import Resource, of_resource

TABLE: Final = "aws:dynamodb/table:Table"


@of_resource(TABLE, ids=("AwsSolutions-DDB3", "CKV_AWS_28"))
def table_can_be_restored(table: Resource) -> Iterator[str]:
    """A DynamoDB table has point-in-time recovery."""
    if not table.at("pointInTimeRecovery", "enabled"):
        yield "set pointInTimeRecovery"


@of_resource(
    TABLE,
    ids=("CKV2_AWS_16",),
    narrowed="The checks also accept provisioned capacity with auto scaling. The rule accepts only on-demand "
    "capacity, which needs no scaling configuration.",
)
def table_scales(table: Resource) -> Iterator[str]:
    """A DynamoDB table uses on-demand capacity, which scales with the load."""
    if table.at("billingMode") != "PAY_PER_REQUEST":
        yield f"billingMode: got {table.at('billingMode')}; set PAY_PER_REQUEST"


RULES: Final = (table_can_be_restored, table_scales)
