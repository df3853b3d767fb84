"""Adapters that deploy API Gateway's HTTP APIs (API Gateway v2) to the emulator."""

from __future__ import annotations

from typing import Any

from local.adapters.base import Adapter, Made, Props, adapts, pascal
from local.aws import Aws


@adapts("aws:apigatewayv2/api:Api")
class Api(Adapter):
    """An HTTP API, created from its CORS rules and its OpenAPI document."""

    applies = frozenset(
        {
            *("name", "protocolType", "body", "corsConfiguration", "description", "disableExecuteApiEndpoint"),
            *("tags", "version"),
        }
    )
    replaced_by = frozenset({"protocolType"})
    named_by_aws = True

    def create(self, aws: Aws, new: Props) -> Made:
        made = aws(
            "apigatewayv2",
            "create_api",
            ProtocolType=new["protocolType"],
            Tags=new.get("tags"),
            **self._content(new),
        )
        identity: str = made["ApiId"]
        self._import(aws, identity, new)
        return Made(
            identity,
            {
                "apiEndpoint": f"{aws.instance.url}/_aws/execute-api/{identity}",
                "arn": f"arn:aws:apigateway:{aws.region}::/apis/{identity}",
                "executionArn": aws.arn("execute-api", identity),
            },
        )

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        if old.get("corsConfiguration") and not new.get("corsConfiguration"):
            return None
        if old.get("body") and not new.get("body"):
            return None
        aws("apigatewayv2", "update_api", ApiId=identity, **self._content(new))
        self._import(aws, identity, new)
        if new.get("tags"):
            arn = f"arn:aws:apigateway:{aws.region}::/apis/{identity}"
            aws("apigatewayv2", "tag_resource", ResourceArn=arn, Tags=new["tags"])
        return {}

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        aws("apigatewayv2", "delete_api", ApiId=identity)

    def _content(self, new: Props) -> dict[str, Any]:
        return {
            "CorsConfiguration": pascal(new.get("corsConfiguration")),
            "Description": new.get("description"),
            "DisableExecuteApiEndpoint": new.get("disableExecuteApiEndpoint"),
            "Name": new["name"],
            "Version": new.get("version"),
        }

    def _import(self, aws: Aws, identity: str, new: Props) -> None:
        if new.get("body"):
            aws("apigatewayv2", "reimport_api", ApiId=identity, Body=new["body"])


@adapts("aws:apigatewayv2/stage:Stage")
class Stage(Adapter):
    """A stage of an HTTP API, which serves the API at a URL."""

    applies = frozenset(
        {"apiId", "name", "accessLogSettings", "autoDeploy", "defaultRouteSettings", "description", "tags"}
    )
    replaced_by = frozenset({"apiId", "name"})

    def create(self, aws: Aws, new: Props) -> Made:
        api, name = new["apiId"], new["name"]
        aws(
            "apigatewayv2",
            "create_stage",
            ApiId=api,
            StageName=name,
            Tags=new.get("tags"),
            **self._content(new),
        )
        # As on AWS, the URL of the default stage has no path prefix. The URL of every other stage has the stage's name
        # as its path prefix.
        path = "" if name == "$default" else f"/{name}"
        return Made(
            name,
            {
                "arn": f"arn:aws:apigateway:{aws.region}::/apis/{api}/stages/{name}",
                "executionArn": aws.arn("execute-api", f"{api}/{name}"),
                "invokeUrl": f"{aws.instance.url}/_aws/execute-api/{api}{path or '/'}",
            },
        )

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        if old.get("accessLogSettings") and not new.get("accessLogSettings"):
            return None
        aws("apigatewayv2", "update_stage", ApiId=new["apiId"], StageName=identity, **self._content(new))
        return {}

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        aws("apigatewayv2", "delete_stage", ApiId=old["apiId"], StageName=identity)

    def _content(self, new: Props) -> dict[str, Any]:
        return {
            "AccessLogSettings": pascal(new.get("accessLogSettings")),
            "AutoDeploy": new.get("autoDeploy"),
            "DefaultRouteSettings": pascal(new.get("defaultRouteSettings")),
            "Description": new.get("description"),
        }
