"""Adapters that deploy API Gateway's REST APIs to the emulator."""

from __future__ import annotations

from typing import Any

from local.adapters.base import Adapter, Made, Props, Put, adapts, only, pick
from local.aws import Aws


@adapts("aws:apigateway/restApi:RestApi")
class RestApi(Adapter):
    """A REST API, created from its OpenAPI document."""

    applies = frozenset(
        {
            "name",
            "binaryMediaTypes",
            "body",
            "description",
            "disableExecuteApiEndpoint",
            "endpointAccessMode",
            "endpointConfiguration",
            "minimumCompressionSize",
            "policy",
            "putRestApiMode",
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
        self._import(aws, identity, new)
        outputs = {
            "arn": f"arn:aws:apigateway:{aws.region}::/restapis/{identity}",
            "executionArn": aws.arn("execute-api", identity),
            "rootResourceId": made["rootResourceId"] if "rootResourceId" in made else _root(aws, identity),
        }
        return Made(identity, outputs)

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        changed = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
        if changed - {"name", "body", "description", "tags"} or (old.get("body") and not new.get("body")):
            return None
        self._import(aws, identity, new)
        patches = [{"op": "replace", "path": f"/{key}", "value": new.get(key, "")} for key in ("name", "description")]
        aws("apigateway", "update_rest_api", restApiId=identity, patchOperations=patches)
        tag(aws, f"arn:aws:apigateway:{aws.region}::/restapis/{identity}", new)
        return {}

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        aws("apigateway", "delete_rest_api", restApiId=identity)

    def _import(self, aws: Aws, identity: str, new: Props) -> None:
        if new.get("body"):
            mode = new.get("putRestApiMode", "overwrite")
            aws("apigateway", "put_rest_api", restApiId=identity, mode=mode, body=new["body"].encode())


@adapts("aws:apigateway/account:Account")
class Account(Put):
    """The account's setting for the role with which API Gateway writes logs. Each region has one such setting."""

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
    """Return a patch operation that sets `path` to `value`. API Gateway requires the value as text."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return {"op": "replace", "path": path, "value": text}


def tag(aws: Aws, arn: str, new: Props) -> None:
    """Set the tags in `new` on the resource `arn`."""
    if new.get("tags"):
        aws("apigateway", "tag_resource", resourceArn=arn, tags=new["tags"])
