"""Tests of the KMS key that encrypts the log groups."""

from __future__ import annotations

from tests.support.graph import ACCOUNT, REGION, Graph


def test_every_log_group_is_encrypted_with_the_stacks_key(graph: Graph) -> None:
    key = graph.one("Key", "logs-key")
    assert key.inputs["enableKeyRotation"] is True
    assert {group.inputs["kmsKeyId"] for group in graph.of("LogGroup")} == {key.state["arn"]}


def test_only_cloudwatch_logs_may_use_the_key_and_only_in_this_account(graph: Graph) -> None:
    account, logs = graph.policy("Key", "logs-key")
    assert not {"kms:*", "kms:Decrypt", "kms:GenerateDataKey"} & set(account["Action"])
    assert logs["Principal"] == {"Service": f"logs.{REGION}.amazonaws.com"}
    assert {"kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"} < set(logs["Action"])
    groups = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:*"
    assert logs["Condition"] == {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}}
