"""The names by which AWS identifies resources of each type, and the values that AWS computes for new resources."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from operations import import_ids

ACCOUNT: Final = os.environ.get("STAND_IN_ACCOUNT", "123456789012")
REGION: Final = os.environ.get("STAND_IN_REGION", "ap-northeast-1")

# For each resource type, replaces.json lists the inputs that cannot be updated: a change of such an input replaces the
# resource. The lists come from version 5.100.0 of the Terraform AWS provider.
REPLACES: Final[dict[str, list[str]]] = json.loads(
    Path(__file__).with_name("replaces.json").read_text(encoding="utf-8")
)


def type_of(urn: str) -> str:
    """Return the type of the resource with the URN `urn`."""
    return urn.split("::")[2].rsplit("$", 1)[-1]


def _short(*parts: object) -> str:
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:10]


def _name(value: object) -> str:
    return str(value).replace(f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:", "")


def _arn(service: str, rest: str) -> str:
    return "arn:aws:" + service + ":{region}:{account}:" + rest


@dataclass(frozen=True)
class Kind:
    """The behavior of AWS for one type of resource."""

    keys: tuple[str, ...] = ()
    """Inputs that together identify a resource on AWS. Empty if AWS chooses an id for each resource."""
    only: str = ""
    """Name of the resource, if an account has only one resource of this type in each region. Otherwise ""."""
    put: bool = False
    """Whether creating a resource overwrites an existing resource of the same name. If false, the creation fails."""
    more: tuple[str, ...] = ()
    """Inputs besides `keys` that cannot be updated. Used only for types that are not in replaces.json."""
    arn: str = ""
    """Template of the ARN. Empty if resources of this type have no ARN."""
    id_from: str = ""
    """Name of the computed value or input that contains the id of the resource. "" if no value contains it."""
    auto_name: str = ""
    """Name of the input for which the provider generates a value if the program sets none."""
    all_replace: bool = False
    """Whether a change of any input replaces the resource."""
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    """Templates of the values that AWS computes, except the ARN: {name of the value: template}."""

    def replaces(self, key: str, type_: str) -> bool:
        """Return whether a change of the input `key` replaces a resource of the type `type_`."""
        if type_ in REPLACES:
            return key in REPLACES[type_]
        return self.all_replace or key in self.keys or key in self.more

    def identity(self, inputs: Mapping[str, Any]) -> str | None:
        """Return the name by which AWS identifies a resource with the inputs `inputs`, or None if AWS chooses an id."""
        return "/".join(_name(inputs.get(key)) for key in self.keys) if self.keys else self.only or None

    def computed(self, inputs: Mapping[str, Any], urn: str, number: int) -> tuple[str, dict[str, Any]]:
        """Return (id, computed values) of a new resource with `inputs`. `number` makes the generated values unique."""
        who = self.identity(inputs) or urn.rsplit("::", 1)[-1]
        base = {
            "name": str(inputs.get(self.auto_name or "name") or who),
            "who": who,
            "unique": _short(urn, number),
            "account": ACCOUNT,
            "region": REGION,
            **{
                key: _name(inputs.get(key, "")) for key in ("restApi", "apiId", "stageName", "functionName", "queueUrl")
            },
        }
        base["arn"] = self.arn.format(**base)
        values: dict[str, Any] = {key: text.format(**base) for key, text in self.values.items()}
        if self.arn:
            values["arn"] = base["arn"]
        own = who if (self.keys or self.only) and not self.id_from else f"id-{base['unique']}"
        return str(values.get(self.id_from) or inputs.get(self.id_from) or own), values


type Things = dict[str, dict[str, Any]]


def imported_as(thing: Mapping[str, Any]) -> str:
    """Return the id that the provider requires to import `thing`. This id can differ from the id of the resource."""
    place = {"account": ACCOUNT, "region": REGION}
    return import_ids.import_id({"type": thing["type"], "inputs": thing["inputs"]}, place, thing["id"]) or thing["id"]


def find(type_: str, inputs: Mapping[str, Any], id_: str, things: Things) -> str:
    """Return the key in `things` of the resource with the type `type_`, the inputs `inputs` and the id `id_`.

    If AWS chooses the ids of this type, this function searches `things` for the id. Otherwise, it derives the key from
    the name in the inputs.
    """
    kind = KINDS[type_]
    if kind.id_from in ("uid", "uuid", "keyId") or not (kind.keys or kind.only):
        for key, thing in things.items():
            if thing["type"] == type_ and thing["id"] == id_:
                return key
    return f"{type_}|{kind.identity(inputs) or id_}"


def refuses_creation(
    type_: str, inputs: Mapping[str, Any], there: Mapping[str, Any] | None, things: Things
) -> str | None:
    """Return the reason why AWS refuses to create the resource with the inputs `inputs`, or None if AWS creates it.

    If a resource with the same name exists, `there` contains its inputs. Otherwise, `there` is None.
    """
    if there is not None and not KINDS[type_].put:
        return "already exists"
    if there is not None and type_ == "aws:sqs/queue:Queue" and _untagged(there) != _untagged(inputs):
        return "QueueAlreadyExists: a queue with this name exists, but has other attributes"
    if type_ == "aws:apigateway/resource:Resource" and str(inputs.get("pathPart", "")).startswith("{"):
        for thing in things.values():
            other = thing["inputs"]
            if thing["type"] == type_ and _siblings(other, inputs) and other["pathPart"].startswith("{"):
                return f"a sibling ({other['pathPart']}) of this resource already has a variable path part"
    return None


def refuses_deletion(type_: str, inputs: Mapping[str, Any], id_: str, things: Things) -> str | None:
    """Return the reason why AWS refuses to delete the resource, or None if AWS deletes it."""
    if type_ == "aws:apigateway/deployment:Deployment":
        stages = [thing for thing in things.values() if thing["type"] == "aws:apigateway/stage:Stage"]
        if any(stage["inputs"].get("deployment") == id_ for stage in stages):
            return "active stages pointing to this deployment must be moved or deleted"
    if type_ == "aws:dynamodb/table:Table" and inputs.get("deletionProtectionEnabled") is True:
        return "deletion protection is on"
    if type_ == "aws:cognito/userPool:UserPool":
        domains = [thing for thing in things.values() if thing["type"] == "aws:cognito/userPoolDomain:UserPoolDomain"]
        if any(domain["inputs"].get("userPoolId") == id_ for domain in domains):
            return "a user pool with a domain cannot be deleted (DeleteUserPool)"
    if type_ == "aws:cognito/userPool:UserPool" and inputs.get("deletionProtection") == "ACTIVE":
        return "deletion protection is on"
    return None


def _siblings(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return (one["restApi"], one["parentId"]) == (other["restApi"], other["parentId"])


def _untagged(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in inputs.items() if key not in ("tags", "tagsAll", "name")}


KINDS: Final = {
    "aws:apigateway/account:Account": Kind(only="api-gateway-account", put=True),
    "aws:apigateway/authorizer:Authorizer": Kind(
        ("restApi", "name"), id_from="uid", values={"uid": "a{unique}"}, more=("restApi",)
    ),
    "aws:apigateway/deployment:Deployment": Kind(
        id_from="uid", more=("restApi", "triggers"), values={"uid": "d{unique}"}
    ),
    "aws:apigateway/integration:Integration": Kind(
        ("restApi", "resourceId", "httpMethod"),
        put=True,
        more=("type", "uri", "integrationHttpMethod", "passthroughBehavior"),
    ),
    "aws:apigateway/integrationResponse:IntegrationResponse": Kind(
        ("restApi", "resourceId", "httpMethod", "statusCode"), put=True
    ),
    "aws:apigateway/method:Method": Kind(("restApi", "resourceId", "httpMethod")),
    "aws:apigateway/methodResponse:MethodResponse": Kind(("restApi", "resourceId", "httpMethod", "statusCode")),
    "aws:apigateway/methodSettings:MethodSettings": Kind(("restApi", "stageName", "methodPath"), put=True),
    "aws:apigateway/model:Model": Kind(("restApi", "name"), more=("contentType",)),
    "aws:apigateway/requestValidator:RequestValidator": Kind(
        id_from="uid", values={"uid": "v{unique}"}, more=("restApi",)
    ),
    "aws:apigateway/resource:Resource": Kind(
        ("restApi", "parentId", "pathPart"), id_from="uid", values={"uid": "r{unique}"}
    ),
    "aws:apigateway/response:Response": Kind(("restApiId", "responseType"), put=True),
    "aws:apigateway/restApi:RestApi": Kind(
        id_from="uid",
        auto_name="name",
        values={
            "uid": "api{unique}",
            "rootResourceId": "root{unique}",
            "executionArn": "arn:aws:execute-api:{region}:{account}:api{unique}",
        },
    ),
    "aws:apigateway/stage:Stage": Kind(
        ("restApi", "stageName"),
        values={
            "invokeUrl": "https://{restApi}.execute-api.{region}.amazonaws.com/{stageName}",
            "executionArn": "arn:aws:execute-api:{region}:{account}:{restApi}/{stageName}",
        },
        arn="arn:aws:apigateway:{region}::/restapis/{restApi}/stages/{stageName}",
    ),
    "aws:apigatewayv2/api:Api": Kind(
        id_from="uid",
        auto_name="name",
        more=("protocolType",),
        values={
            "uid": "http{unique}",
            "apiEndpoint": "https://http{unique}.execute-api.{region}.amazonaws.com",
            "executionArn": "arn:aws:execute-api:{region}:{account}:http{unique}",
        },
    ),
    "aws:apigatewayv2/authorizer:Authorizer": Kind(("apiId", "name"), id_from="uid", values={"uid": "a{unique}"}),
    "aws:apigatewayv2/integration:Integration": Kind(
        id_from="uid", values={"uid": "i{unique}"}, more=("apiId", "integrationType")
    ),
    "aws:apigatewayv2/route:Route": Kind(("apiId", "routeKey"), id_from="uid", values={"uid": "t{unique}"}),
    "aws:apigatewayv2/stage:Stage": Kind(
        ("apiId", "name"), auto_name="name", values={"invokeUrl": "https://{apiId}.execute-api.{region}.amazonaws.com/"}
    ),
    "aws:cloudwatch/dashboard:Dashboard": Kind(("dashboardName",), put=True),
    "aws:cloudwatch/eventArchive:EventArchive": Kind(
        ("name",), auto_name="name", more=("eventSourceArn",), arn=_arn("events", "archive/{name}")
    ),
    "aws:cloudwatch/eventBus:EventBus": Kind(("name",), auto_name="name", arn=_arn("events", "event-bus/{name}")),
    "aws:cloudwatch/eventRule:EventRule": Kind(
        ("eventBusName", "name"), put=True, auto_name="name", arn=_arn("events", "rule/{who}")
    ),
    "aws:cloudwatch/eventTarget:EventTarget": Kind(("eventBusName", "rule", "targetId"), put=True),
    "aws:cloudwatch/logGroup:LogGroup": Kind(("name",), auto_name="name", arn=_arn("logs", "log-group:{name}")),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": Kind(("logGroupName", "name"), put=True, auto_name="name"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Kind(
        ("name",), put=True, auto_name="name", arn=_arn("cloudwatch", "alarm:{name}")
    ),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": Kind(
        ("alarmName",), put=True, arn=_arn("cloudwatch", "alarm:{who}")
    ),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": Kind(("policyName",), put=True),
    "aws:cognito/userGroup:UserGroup": Kind(("userPoolId", "name"), auto_name="name"),
    "aws:cognito/userPool:UserPool": Kind(
        id_from="uid",
        auto_name="name",
        more=("usernameAttributes", "aliasAttributes", "usernameConfiguration"),
        values={"uid": "{region}_{unique}", "endpoint": "cognito-idp.{region}.amazonaws.com/{region}_{unique}"},
        arn=_arn("cognito-idp", "userpool/{region}_{unique}"),
    ),
    "aws:cognito/userPoolClient:UserPoolClient": Kind(
        id_from="uid", auto_name="name", more=("userPoolId", "generateSecret"), values={"uid": "client{unique}"}
    ),
    "aws:cognito/userPoolDomain:UserPoolDomain": Kind(("domain",), more=("userPoolId",)),
    "aws:dynamodb/table:Table": Kind(
        ("name",),
        auto_name="name",
        more=("hashKey", "rangeKey"),
        arn=_arn("dynamodb", "table/{name}"),
        values={
            "streamArn": "arn:aws:dynamodb:{region}:{account}:table/{name}/stream/2026-01-01T00:00:00.000",
            "streamLabel": "2026-01-01T00:00:00.000",
        },
    ),
    "aws:iam/role:Role": Kind(
        ("name",), auto_name="name", arn="arn:aws:iam::{account}:role/{name}", values={"uniqueId": "AROA{unique}"}
    ),
    "aws:iam/rolePolicy:RolePolicy": Kind(("role", "name"), put=True, auto_name="name"),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Kind(("role", "policyArn"), put=True),
    "aws:kms/alias:Alias": Kind(("name",), auto_name="name", arn=_arn("kms", "{name}")),
    "aws:kms/key:Key": Kind(id_from="keyId", values={"keyId": "key-{unique}"}, arn=_arn("kms", "key/key-{unique}")),
    "aws:lambda/alias:Alias": Kind(
        ("functionName", "name"),
        arn=_arn("lambda", "function:{functionName}:{name}"),
        values={"invokeArn": "arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"},
    ),
    "aws:lambda/eventSourceMapping:EventSourceMapping": Kind(
        ("functionName", "eventSourceArn"),
        more=("startingPosition",),
        id_from="uuid",
        values={"uuid": "esm-{unique}"},
        arn=_arn("lambda", "event-source-mapping:esm-{unique}"),
    ),
    "aws:lambda/function:Function": Kind(
        ("name",),
        auto_name="name",
        more=("packageType",),
        arn=_arn("lambda", "function:{name}"),
        values={
            "version": "1",
            "qualifiedArn": "{arn}:1",
            "invokeArn": "arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations",
        },
    ),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": Kind(("functionName", "qualifier"), put=True),
    "aws:lambda/functionUrl:FunctionUrl": Kind(("functionName", "qualifier")),
    "aws:lambda/layerVersion:LayerVersion": Kind(
        all_replace=True,
        id_from="arn",
        arn=_arn("lambda", "layer:{who}:{unique}"),
        values={"version": "1", "layerArn": "{arn}"},
    ),
    "aws:lambda/permission:Permission": Kind(("function", "qualifier", "statementId"), all_replace=True),
    "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig": Kind(
        ("functionName", "qualifier"), put=True
    ),
    "aws:s3/bucket:Bucket": Kind(
        ("bucket",),
        auto_name="bucket",
        arn="arn:aws:s3:::{name}",
        values={
            "bucketRegionalDomainName": "{name}.s3.{region}.amazonaws.com",
            "bucketDomainName": "{name}.s3.amazonaws.com",
        },
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": Kind(("bucket",), put=True),
    "aws:s3/bucketNotification:BucketNotification": Kind(("bucket",), put=True),
    "aws:s3/bucketPolicy:BucketPolicy": Kind(("bucket",), put=True),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Kind(("bucket",), put=True),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": Kind(
        ("bucket",), put=True
    ),
    "aws:s3/bucketVersioning:BucketVersioning": Kind(("bucket",), put=True),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": Kind(("bucket",), put=True),
    "aws:s3/bucketObjectv2:BucketObjectv2": Kind(("bucket", "key"), put=True),
    "aws:sesv2/emailIdentity:EmailIdentity": Kind(("emailIdentity",), arn=_arn("ses", "identity/{who}")),
    "aws:sfn/stateMachine:StateMachine": Kind(
        ("name",), auto_name="name", more=("type",), arn=_arn("states", "stateMachine:{name}"), id_from="arn"
    ),
    "aws:sns/topic:Topic": Kind(("name",), put=True, auto_name="name", arn=_arn("sns", "{name}"), id_from="arn"),
    "aws:sns/topicPolicy:TopicPolicy": Kind(("arn",), put=True),
    "aws:sns/topicSubscription:TopicSubscription": Kind(
        ("topic", "protocol", "endpoint"), put=True, arn=_arn("sns", "{who}")
    ),
    "aws:sqs/queue:Queue": Kind(
        ("name",),
        put=True,
        auto_name="name",
        more=("fifoQueue",),
        arn=_arn("sqs", "{name}"),
        id_from="url",
        values={"url": "https://sqs.{region}.amazonaws.com/{account}/{name}"},
    ),
    "aws:sqs/queuePolicy:QueuePolicy": Kind(("queueUrl",), put=True),
    "aws:wafv2/webAcl:WebAcl": Kind(
        ("scope", "name"), auto_name="name", arn=_arn("wafv2", "regional/webacl/{name}/{unique}")
    ),
    "aws:wafv2/webAclAssociation:WebAclAssociation": Kind(("resourceArn",), put=True, all_replace=True),
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": Kind(("resourceArn",), put=True),
    "aws:cloudfront/distribution:Distribution": Kind(
        id_from="uid",
        values={"uid": "E{unique}", "domainName": "d{unique}.cloudfront.net", "hostedZoneId": "Z2FDTNDATAQYW2"},
        arn="arn:aws:cloudfront::{account}:distribution/E{unique}",
    ),
    "aws:cloudfront/originAccessControl:OriginAccessControl": Kind(
        ("name",), auto_name="name", id_from="uid", values={"uid": "O{unique}"}
    ),
    "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": Kind(
        ("name",), auto_name="name", id_from="uid", values={"uid": "P{unique}"}
    ),
    "aws:cloudfront/function:Function": Kind(
        ("name",), auto_name="name", arn="arn:aws:cloudfront::{account}:function/{name}"
    ),
    "aws:acm/certificate:Certificate": Kind(
        id_from="arn", more=("domainName",), arn=_arn("acm", "certificate/{unique}")
    ),
    "aws:acm/certificateValidation:CertificateValidation": Kind(id_from="uid", values={"uid": "cv{unique}"}),
    "aws:route53/record:Record": Kind(("zoneId", "name", "type")),
    "aws:apigateway/domainName:DomainName": Kind(
        ("domainName",),
        values={"regionalDomainName": "d-{unique}.execute-api.{region}.amazonaws.com", "regionalZoneId": "Z1"},
    ),
    "aws:apigateway/basePathMapping:BasePathMapping": Kind(("domainName", "basePath")),
    "aws:apigatewayv2/domainName:DomainName": Kind(("domainName",)),
    "aws:apigatewayv2/apiMapping:ApiMapping": Kind(("domainName", "apiMappingKey")),
    "aws:backup/vault:Vault": Kind(("name",), auto_name="name", arn=_arn("backup", "backup-vault:{name}")),
    "aws:backup/plan:Plan": Kind(id_from="uid", values={"uid": "bp{unique}"}),
    "aws:backup/selection:Selection": Kind(id_from="uid", values={"uid": "bs{unique}"}),
    "aws:budgets/budget:Budget": Kind(("name",), auto_name="name"),
    "aws:scheduler/schedule:Schedule": Kind(
        ("groupName", "name"), auto_name="name", arn=_arn("scheduler", "schedule/{name}")
    ),
    "aws:ssm/parameter:Parameter": Kind(("name",), arn=_arn("ssm", "parameter/{name}")),
    "aws:pipes/pipe:Pipe": Kind(("name",), auto_name="name", arn=_arn("pipes", "pipe/{name}")),
    "aws:cloudwatch/queryDefinition:QueryDefinition": Kind(("name",), id_from="uid", values={"uid": "q{unique}"}),
    "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter": Kind(
        ("logGroup", "name"), put=True, auto_name="name"
    ),
    "aws:athena/workgroup:Workgroup": Kind(("name",), auto_name="name", arn=_arn("athena", "workgroup/{name}")),
    "aws:glue/catalogDatabase:CatalogDatabase": Kind(("name",), auto_name="name"),
    "aws:glue/catalogTable:CatalogTable": Kind(("databaseName", "name"), auto_name="name"),
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": Kind(
        ("name",), auto_name="name", arn=_arn("firehose", "deliverystream/{name}")
    ),
}
