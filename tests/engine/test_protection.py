"""Tests that Pulumi deletes no irreplaceable resource of a stack with `deletionProtection`, even without a preview."""

from __future__ import annotations

from collections.abc import Callable

from components.aws.protection import IRREPLACEABLE
from tests.engine.engine import Engine
from tests.engine.stand_in import kinds
from tests.support.graph import record

STACK = "prod"
# Resources of these types need no protection against deletion, because `pulumi up` creates them again with the same
# name and the same behavior.
REPLACEABLE = {
    *("aws:apigateway/account:Account", "aws:apigateway/deployment:Deployment"),
    *("aws:apigateway/methodSettings:MethodSettings", "aws:apigateway/stage:Stage", "aws:apigatewayv2/stage:Stage"),
    *("aws:cloudfront/function:Function", "aws:cloudfront/originAccessControl:OriginAccessControl"),
    "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy",
    *("aws:cloudwatch/dashboard:Dashboard", "aws:cloudwatch/eventBus:EventBus", "aws:cloudwatch/eventRule:EventRule"),
    *("aws:cloudwatch/eventTarget:EventTarget", "aws:cloudwatch/logMetricFilter:LogMetricFilter"),
    *("aws:cloudwatch/metricAlarm:MetricAlarm", "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"),
    *("aws:kms/alias:Alias", "aws:lambda/alias:Alias", "aws:lambda/eventSourceMapping:EventSourceMapping"),
    *("aws:lambda/function:Function", "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"),
    *("aws:lambda/layerVersion:LayerVersion", "aws:lambda/permission:Permission"),
    "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig",
    *("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "aws:s3/bucketPolicy:BucketPolicy"),
    *("aws:s3/bucketNotification:BucketNotification", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    *("aws:s3/bucketVersioning:BucketVersioning", "aws:sesv2/emailIdentity:EmailIdentity"),
    *("aws:sfn/stateMachine:StateMachine", "aws:sns/topic:Topic", "aws:sns/topicPolicy:TopicPolicy"),
    *("aws:sqs/queuePolicy:QueuePolicy", "aws:wafv2/webAcl:WebAcl", "aws:wafv2/webAclAssociation:WebAclAssociation"),
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration",
}


def test_every_resource_type_is_listed_as_irreplaceable_or_replaceable() -> None:
    used = {made.type for made in record(STACK).resources if made.custom}
    assert used - IRREPLACEABLE == REPLACEABLE


def test_destroying_prod_without_a_preview_deletes_nothing_irreplaceable(deployed: Callable[[str], Engine]) -> None:
    irreplaceable = sorted(made.name for made in record(STACK).resources if made.type in IRREPLACEABLE)
    assert {"data-orders", "identity-domain", "rest-api", "http-api", "logs-key", "events-archive"} <= {*irreplaceable}
    engine = deployed(STACK)
    ended = engine.run("destroy", "--stack", STACK, "--yes", "--skip-preview")
    assert ended.code != 0
    with engine.cloud.locked() as things:
        left = [thing["urn"].rsplit("::", 1)[-1] for thing in things.values() if thing["type"] in IRREPLACEABLE]
    assert sorted(left) == irreplaceable
    deleted = [call["urn"] for call in engine.cloud.calls() if call["call"] == "delete"]
    assert [urn for urn in deleted if kinds.type_of(urn) in IRREPLACEABLE] == []
