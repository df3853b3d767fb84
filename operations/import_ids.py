"""Finds the import id of a resource: the id by which Pulumi's AWS provider imports it.

The provider's documentation of each resource type describes the format of the id in the section "Import". Most ids
consist of names that the program gives the resource. If AWS chooses the id, a command of the AWS CLI finds it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

_ACCOUNT: Final = re.compile(r"arn:aws:[a-z0-9-]+:[a-z0-9-]*:(\d{12}):")


@dataclass(frozen=True)
class _Form:
    """The format of an import id.

    The format can contain `{account}`, `{region}`, `{ID}` (the id that AWS chose), and names of inputs in braces.
    """

    text: str
    find: str = ""
    """The command that prints `{ID}`."""


_TAGGED: Final = (
    "aws resourcegroupstaggingapi get-resources --resource-type-filters {filter} --tag-filters Key=Project,Values={P} "
    "Key=Stack,Values={S} Key=Component,Values={C} --query ResourceTagMappingList[].ResourceARN"
)
FORMS: Final[Mapping[str, _Form]] = {
    "aws:acm/certificate:Certificate": _Form(
        "{ID}",
        "aws acm list-certificates --region us-east-1 "
        "--query CertificateSummaryList[?DomainName=='{domainName}'].CertificateArn",
    ),
    "aws:apigateway/account:Account": _Form("api-gateway-account"),
    "aws:apigateway/deployment:Deployment": _Form(
        "{restApi}/{ID}", "aws apigateway get-deployments --rest-api-id {restApi} --query items[].id"
    ),
    "aws:apigateway/methodSettings:MethodSettings": _Form("{restApi}/{stageName}/{methodPath}"),
    "aws:apigateway/restApi:RestApi": _Form("{ID}", "aws apigateway get-rest-apis --query items[?name=='{name}'].id"),
    "aws:apigateway/stage:Stage": _Form("{restApi}/{stageName}"),
    "aws:apigatewayv2/api:Api": _Form("{ID}", "aws apigatewayv2 get-apis --query Items[?Name=='{name}'].ApiId"),
    "aws:apigatewayv2/stage:Stage": _Form("{apiId}/{name}"),
    "aws:cloudfront/distribution:Distribution": _Form(
        "{ID}", "aws cloudfront list-distributions --query DistributionList.Items[?Comment=='{comment}'].Id"
    ),
    "aws:cloudfront/function:Function": _Form("{name}"),
    "aws:cloudfront/originAccessControl:OriginAccessControl": _Form(
        "{ID}",
        "aws cloudfront list-origin-access-controls --query OriginAccessControlList.Items[?Name=='{name}'].Id",
    ),
    "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": _Form(
        "{ID}",
        "aws cloudfront list-response-headers-policies --type custom "
        "--query ResponseHeadersPolicyList.Items[?ResponseHeadersPolicy.ResponseHeadersPolicyConfig.Name=='{name}']"
        ".ResponseHeadersPolicy.Id",
    ),
    "aws:cloudwatch/dashboard:Dashboard": _Form("{dashboardName}"),
    "aws:cloudwatch/eventArchive:EventArchive": _Form("{name}"),
    "aws:cloudwatch/eventBus:EventBus": _Form("{name}"),
    "aws:cloudwatch/eventRule:EventRule": _Form("{eventBusName}/{name}"),
    "aws:cloudwatch/eventTarget:EventTarget": _Form("{eventBusName}/{rule}/{targetId}"),
    "aws:cloudwatch/logGroup:LogGroup": _Form("{name}"),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": _Form("{logGroupName}:{name}"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _Form("{name}"),
    "aws:cognito/userGroup:UserGroup": _Form("{userPoolId}/{name}"),
    "aws:cognito/userPool:UserPool": _Form(
        "{ID}", "aws cognito-idp list-user-pools --max-results 60 --query UserPools[?Name=='{name}'].Id"
    ),
    "aws:cognito/userPoolClient:UserPoolClient": _Form(
        "{userPoolId}/{ID}",
        "aws cognito-idp list-user-pool-clients --user-pool-id {userPoolId} "
        "--query UserPoolClients[?ClientName=='{name}'].ClientId",
    ),
    "aws:cognito/userPoolDomain:UserPoolDomain": _Form("{domain}"),
    "aws:dynamodb/table:Table": _Form("{name}"),
    "aws:iam/role:Role": _Form("{name}"),
    "aws:iam/rolePolicy:RolePolicy": _Form("{role}:{name}"),
    "aws:kms/alias:Alias": _Form("{name}"),
    "aws:kms/key:Key": _Form("{ID}", _TAGGED.replace("{filter}", "kms:key")),
    "aws:lambda/alias:Alias": _Form("{functionName}/{name}"),
    "aws:lambda/eventSourceMapping:EventSourceMapping": _Form(
        "{ID}",
        "aws lambda list-event-source-mappings --function-name {functionName} --event-source-arn {eventSourceArn} "
        "--query EventSourceMappings[].UUID",
    ),
    "aws:lambda/function:Function": _Form("{name}"),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": _Form("{functionName}:{qualifier}"),
    "aws:lambda/layerVersion:LayerVersion": _Form(
        "{ID}", "aws lambda list-layer-versions --layer-name {layerName} --query LayerVersions[0].LayerVersionArn"
    ),
    "aws:lambda/permission:Permission": _Form("{function}:{qualifier}/{statementId}"),
    "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig": _Form("{functionName},{qualifier}"),
    "aws:route53/record:Record": _Form("{zoneId}_{name}_{type}"),
    "aws:s3/bucket:Bucket": _Form("{bucket}"),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _Form("{bucket}"),
    "aws:s3/bucketNotification:BucketNotification": _Form("{bucket}"),
    "aws:s3/bucketPolicy:BucketPolicy": _Form("{bucket}"),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _Form("{bucket}"),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _Form("{bucket}"),
    "aws:s3/bucketVersioning:BucketVersioning": _Form("{bucket}"),
    "aws:sesv2/emailIdentity:EmailIdentity": _Form("{emailIdentity}"),
    "aws:sfn/stateMachine:StateMachine": _Form("arn:aws:states:{region}:{account}:stateMachine:{name}"),
    "aws:sns/topic:Topic": _Form("arn:aws:sns:{region}:{account}:{name}"),
    "aws:sns/topicPolicy:TopicPolicy": _Form("{arn}"),
    "aws:sns/topicSubscription:TopicSubscription": _Form(
        "{ID}",
        "aws sns list-subscriptions-by-topic --topic-arn {topic} "
        "--query Subscriptions[?Endpoint=='{endpoint}'].SubscriptionArn",
    ),
    "aws:sqs/queue:Queue": _Form("https://sqs.{region}.amazonaws.com/{account}/{name}"),
    "aws:sqs/queuePolicy:QueuePolicy": _Form("{queueUrl}"),
    "aws:wafv2/webAcl:WebAcl": _Form(
        "{ID}/{name}/{scope}", "aws wafv2 list-web-acls --scope {scope} --query WebACLs[?Name=='{name}'].Id"
    ),
    "aws:wafv2/webAclAssociation:WebAclAssociation": _Form("{webAclArn},{resourceArn}"),
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": _Form("{resourceArn}"),
}


def place_of(state_text: str, region: str) -> dict[str, str]:
    """Return the region and the account id for `import_id`. The account id comes from an ARN in `state_text`.

    Leave out a value that is not known.
    """
    found = _ACCOUNT.search(state_text)
    known = {"region": region, "account": found[1] if found else ""}
    return {key: value for key, value in known.items() if value}


def import_id(resource: Mapping[str, Any], place: Mapping[str, str], chosen: str = "") -> str | None:
    """Return the id by which Pulumi imports `resource`, or None if it is not known.

    `place` contains the region and the account id, as `place_of` returns them. `chosen` is the id that AWS chose. Most
    types do not need it. For a KMS key, it can also be the key's ARN.
    """
    form = FORMS.get(resource["type"])
    if form is None:
        return chosen or None
    if form.find and not chosen:
        return None
    try:
        return form.text.format(**{**_inputs(resource), **place, "ID": chosen.rpartition(":key/")[2] or chosen})
    except KeyError:
        # A part of the id is unknown: either a name that the provider generated, or the account id, because no ARN in
        # the state contains it yet.
        return chosen or None


def find_command(resource: Mapping[str, Any]) -> str:
    """Return a command that prints the id of an existing `resource`, or an empty text if there is no such command."""
    form = FORMS.get(resource["type"])
    if form is None or not form.find:
        return ""
    inputs = _inputs(resource)
    tags = cast("dict[str, str]", inputs.get("tags") or {})
    values = {**inputs, **{name[0]: tags.get(name, "") for name in ("Project", "Stack", "Component")}}
    try:
        # Split the command before `format` inserts the values, so that a value with a space stays one argument.
        return shlex.join(part.format(**values) for part in form.find.split(" "))
    except KeyError:
        return ""


def _inputs(resource: Mapping[str, Any]) -> dict[str, Any]:
    return cast("dict[str, Any]", resource.get("inputs") or {})
