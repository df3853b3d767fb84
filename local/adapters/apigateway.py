"""API Gateway: REST APIs and what their methods share."""

from __future__ import annotations

import json
from typing import Any

from local.adapters.base import Adapter, Made, Props, Put, adapts, only, pick
from local.aws import Aws


@adapts("aws:apigateway/restApi:RestApi")
class RestApi(Adapter):
    """A REST API without its resources."""

    applies = frozenset(
        {
            "name",
            "binaryMediaTypes",
            "description",
            "disableExecuteApiEndpoint",
            "endpointAccessMode",
            "endpointConfiguration",
            "minimumCompressionSize",
            "policy",
            "securityPolicy",
            "tags",
        }
    )

    def create(self, aws: Aws, new: Props) -> Made:
        endpoint = new.get("endpointConfiguration")
        if endpoint:
            only(endpoint, ("types", "ipAddressType"), "endpointConfiguration")
            endpoint = {"types": [endpoint["types"]], **pick(endpoint, ipAddressType="ipAddressType")}
        compression = new.get("minimumCompressionSize")
        made = aws(
            "apigateway",
            "create_rest_api",
            name=new["name"],
            binaryMediaTypes=new.get("binaryMediaTypes"),
            description=new.get("description"),
            disableExecuteApiEndpoint=new.get("disableExecuteApiEndpoint"),
            endpointAccessMode=new.get("endpointAccessMode"),
            endpointConfiguration=endpoint,
            minimumCompressionSize=None if compression is None else int(compression),
            policy=new.get("policy"),
            securityPolicy=new.get("securityPolicy"),
            tags=new.get("tags"),
        )
        identity: str = made["id"]
        outputs = {
            "arn": f"arn:aws:apigateway:{aws.region}::/restapis/{identity}",
            "executionArn": aws.arn("execute-api", identity),
            "rootResourceId": made["rootResourceId"] if "rootResourceId" in made else _root(aws, identity),
        }
        return Made(identity, outputs)

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        changed = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
        if changed - {"name", "description", "tags"}:
            return None
        patches = [{"op": "replace", "path": f"/{key}", "value": new.get(key, "")} for key in ("name", "description")]
        aws("apigateway", "update_rest_api", restApiId=identity, patchOperations=patches)
        tag(aws, f"arn:aws:apigateway:{aws.region}::/restapis/{identity}", new)
        return {}

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        aws("apigateway", "delete_rest_api", restApiId=identity)


@adapts("aws:apigateway/resource:Resource")
class Resource(Adapter):
    """A segment of a path."""

    applies = frozenset({"restApi", "parentId", "pathPart"})
    named_by_aws = True

    def create(self, aws: Aws, new: Props) -> Made:
        made = aws(
            "apigateway",
            "create_resource",
            restApiId=new["restApi"],
            parentId=new["parentId"],
            pathPart=new["pathPart"],
        )
        return Made(made["id"], {"path": made["path"]})

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        aws("apigateway", "delete_resource", restApiId=old["restApi"], resourceId=identity)


@adapts("aws:apigateway/authorizer:Authorizer")
class Authorizer(Adapter):
    """Whose tokens are taken."""

    applies = frozenset(
        {
            *("restApi", "name", "type", "providerArns", "identitySource", "authorizerResultTtlInSeconds"),
            "identityValidationExpression",
        }
    )
    named_by_aws = True

    def create(self, aws: Aws, new: Props) -> Made:
        wanted = pick(
            new,
            authorizerResultTtlInSeconds="authorizerResultTtlInSeconds",
            identitySource="identitySource",
            identityValidationExpression="identityValidationExpression",
            name="name",
            providerArns="providerARNs",
            restApi="restApiId",
            type="type",
        )
        return Made(aws("apigateway", "create_authorizer", **wanted)["id"])

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        aws("apigateway", "delete_authorizer", restApiId=old["restApi"], authorizerId=identity)


@adapts("aws:apigateway/model:Model")
class Model(Adapter):
    """The schema of a body."""

    applies = frozenset({"restApi", "name", "contentType", "description", "schema"})

    def create(self, aws: Aws, new: Props) -> Made:
        # AWS refuses what is not JSON; the emulator would find out at the first request.
        json.loads(new["schema"])
        wanted = pick(
            new,
            contentType="contentType",
            description="description",
            name="name",
            restApi="restApiId",
            schema="schema",
        )
        return Made(aws("apigateway", "create_model", **wanted)["id"])

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del identity
        aws("apigateway", "delete_model", restApiId=old["restApi"], modelName=old["name"])


@adapts("aws:apigateway/requestValidator:RequestValidator")
class RequestValidator(Adapter):
    """What is checked before the integration."""

    applies = frozenset({"restApi", "name", "validateRequestBody", "validateRequestParameters"})
    named_by_aws = True

    def create(self, aws: Aws, new: Props) -> Made:
        wanted = {("restApiId" if key == "restApi" else key): value for key, value in new.items()}
        return Made(aws("apigateway", "create_request_validator", **wanted)["id"])

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        aws("apigateway", "delete_request_validator", restApiId=old["restApi"], requestValidatorId=identity)


@adapts("aws:apigateway/response:Response")
class GatewayResponse(Put):
    """How the gateway's own errors look."""

    applies = frozenset({"restApiId", "responseType", "responseParameters", "responseTemplates", "statusCode"})
    replaced_by = frozenset({"restApiId", "responseType"})

    def create(self, aws: Aws, new: Props) -> Made:
        aws("apigateway", "put_gateway_response", **new)
        return Made(f"aggr-{new['restApiId']}-{new['responseType']}")

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del identity
        aws(
            "apigateway",
            "delete_gateway_response",
            restApiId=old["restApiId"],
            responseType=old["responseType"],
        )


@adapts("aws:apigateway/account:Account")
class Account(Put):
    """The role that API Gateway writes logs with, one for account and region."""

    applies = frozenset({"cloudwatchRoleArn"})

    def create(self, aws: Aws, new: Props) -> Made:
        role = new.get("cloudwatchRoleArn", "")
        aws("apigateway", "update_account", patchOperations=[patch("/cloudwatchRoleArn", role)])
        return Made("api-gateway-account")

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del identity, old
        aws("apigateway", "update_account", patchOperations=[patch("/cloudwatchRoleArn", "")])


def _root(aws: Aws, identity: str) -> str:
    listed = aws("apigateway", "get_resources", restApiId=identity)["items"]
    return next(each["id"] for each in listed if each["path"] == "/")


def patch(path: str, value: Any) -> dict[str, str]:
    """Return one operation of a patch, whose values API Gateway takes as text."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return {"op": "replace", "path": path, "value": text}


def tag(aws: Aws, arn: str, new: Props) -> None:
    """Tag what `arn` names."""
    if new.get("tags"):
        aws("apigateway", "tag_resource", resourceArn=arn, tags=new["tags"])
