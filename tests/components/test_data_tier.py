"""Tests of the tables and the analytics bucket in the stacks prod, dev and local."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.graph import Graph

GraphOf = Callable[[str], Graph]
TABLES = {
    "data-users": ("user_id", {"user_id"}),
    "data-orders": ("order_id", {"order_id", "user_id", "created_at", "late_shard"}),
    "data-inventory": ("product_id", {"product_id", "catalog_id"}),
    "data-idempotency": ("id", {"id"}),
}


def table(graph: Graph, name: str) -> dict[str, Any]:
    return dict(graph.one("Table", name).inputs)


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_on_demand_and_encrypted_and_declare_only_key_attributes(name: str, graph_of: GraphOf) -> None:
    inputs = table(graph_of("prod"), name)
    key, attributes = TABLES[name]
    assert inputs["billingMode"] == "PAY_PER_REQUEST"
    assert inputs["serverSideEncryption"] == {"enabled": True}
    assert inputs["hashKey"] == key
    assert {attribute["name"] for attribute in inputs["attributes"]} == attributes


@pytest.mark.parametrize(("stack", "safe"), [("prod", True), ("dev", False), ("local", False)])
def test_prod_data_is_protected_from_deletion_and_can_be_restored(stack: str, safe: bool, graph_of: GraphOf) -> None:
    graph = graph_of(stack)
    for made in graph.of("Table"):
        assert made.inputs["deletionProtectionEnabled"] is safe
        assert made.protect is safe
    assert graph.one("Bucket", "data-analytics").protect is safe
    assert graph.one("Bucket", "data-analytics").inputs["forceDestroy"] is not safe
    assert graph.one("UserPool", "identity-pool").protect is safe
    recoverable = {made.inputs["pointInTimeRecovery"]["enabled"] for made in graph.of("Table")}
    assert recoverable == {stack != "local"}


def test_orders_table_streams_old_and_new_rows(graph_of: GraphOf) -> None:
    assert table(graph_of("prod"), "data-orders")["streamViewType"] == "NEW_AND_OLD_IMAGES"


def test_orders_are_indexed_by_user_and_late_orders_by_time(graph_of: GraphOf) -> None:
    inputs = table(graph_of("prod"), "data-orders")
    assert inputs["globalSecondaryIndexes"] == [
        {
            "name": "by-user",
            "projectionType": "ALL",
            "keySchemas": [
                {"attributeName": "user_id", "keyType": "HASH"},
                {"attributeName": "created_at", "keyType": "RANGE"},
            ],
        },
        {
            "name": "late",
            "projectionType": "KEYS_ONLY",
            "keySchemas": [
                {"attributeName": "late_shard", "keyType": "HASH"},
                {"attributeName": "created_at", "keyType": "RANGE"},
            ],
        },
    ]


def test_stock_change_does_not_update_the_catalog_index(graph_of: GraphOf) -> None:
    index = table(graph_of("prod"), "data-inventory")["globalSecondaryIndexes"][0]
    assert index["projectionType"] == "KEYS_ONLY"


def test_only_rows_of_the_idempotency_table_expire(graph_of: GraphOf) -> None:
    expiring = {made.name: made.inputs["ttl"] for made in graph_of("prod").of("Table") if "ttl" in made.inputs}
    assert expiring == {"data-idempotency": {"attributeName": "expiration", "enabled": True}}


def test_bucket_is_private_requires_tls_and_expires_old_objects(graph_of: GraphOf) -> None:
    graph = graph_of("prod")
    private = graph.one("BucketPublicAccessBlock", "data-analytics-private").inputs
    switches = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    assert all(private[switch] is True for switch in switches)
    statement = json.loads(graph.one("BucketPolicy", "data-analytics-policy").inputs["policy"])["Statement"][0]
    bucket = graph.one("Bucket", "data-analytics").state["arn"]
    assert statement["Effect"] == "Deny"
    assert statement["Resource"] == [bucket, f"{bucket}/*"]
    rule = graph.one("BucketLifecycleConfiguration", "data-analytics-lifecycle").inputs["rules"][0]
    assert rule["status"] == "Enabled"
    assert rule["expiration"] == {"days": 730}


def test_bucket_keeps_overwritten_and_deleted_objects_for_a_week(graph_of: GraphOf) -> None:
    graph = graph_of("prod")
    versions = graph.one("BucketVersioning", "data-analytics-versions")
    assert versions.inputs["versioningConfiguration"] == {"status": "Enabled"}
    lifecycle = graph.one("BucketLifecycleConfiguration", "data-analytics-lifecycle")
    assert versions.urn in lifecycle.dependencies
    expire, marks = lifecycle.inputs["rules"]
    assert expire["noncurrentVersionExpiration"] == {"noncurrentDays": 7}
    assert marks["expiration"] == {"expiredObjectDeleteMarker": True}


def test_bucket_is_encrypted_by_kms_and_sends_its_changes_to_eventbridge(graph_of: GraphOf) -> None:
    graph = graph_of("prod")
    (rule,) = graph.one("BucketServerSideEncryptionConfiguration", "data-analytics-encryption").inputs["rules"]
    assert rule == {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms"}, "bucketKeyEnabled": True}
    assert graph.one("BucketNotification", "data-analytics-changes").inputs["eventbridge"] is True
