"""API Gateway v2: HTTP APIs."""

from __future__ import annotations

from typing import Any, Final

from local.adapters.base import Adapter, Made, Props, adapts, only, pascal, pick
from local.aws import Aws

_INTEGRATION: Final = {
    "connectionType": "ConnectionType",
    "description": "Description",
    "integrationMethod": "IntegrationMethod",
    "integrationType": "IntegrationType",
    "integrationUri": "IntegrationUri",
    "payloadFormatVersion": "PayloadFormatVersion",
    "timeoutMilliseconds": "TimeoutInMillis",
}
_ROUTE: Final = {
    "authorizationScopes": "AuthorizationScopes",
    "authorizationType": "AuthorizationType",
    "authorizerId": "AuthorizerId",
    "operationName": "OperationName",
    "routeKey": "RouteKey",
    "target": "Target",
}


@adapts("aws:apigatewayv2/api:Api")
class Api(Adapter):
    """An HTTP API with its CORS rules."""

    applies = frozenset(
        {"name", "protocolType", "corsConfiguration", "description", "disableExecuteApiEndpoint", "tags"}
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
        aws("apigatewayv2", "update_api", ApiId=identity, **self._content(new))
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
        }


@adapts("aws:apigatewayv2/authorizer:Authorizer")
class Authorizer(Adapter):
    """Whose tokens are taken."""

    applies = frozenset({"apiId", "name", "authorizerType", "identitySources", "jwtConfiguration"})
    named_by_aws = True

    def create(self, aws: Aws, new: Props) -> Made:
        tokens = new["jwtConfiguration"]
        only(tokens, ("audiences", "issuer"), "jwtConfiguration")
        made = aws(
            "apigatewayv2",
            "create_authorizer",
            ApiId=new["apiId"],
            AuthorizerType=new["authorizerType"],
            IdentitySource=new["identitySources"],
            JwtConfiguration={"Audience": tokens["audiences"], "Issuer": tokens["issuer"]},
            Name=new["name"],
        )
        return Made(made["AuthorizerId"])

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        aws("apigatewayv2", "delete_authorizer", ApiId=old["apiId"], AuthorizerId=identity)


@adapts("aws:apigatewayv2/integration:Integration")
class Integration(Adapter):
    """What stands behind routes."""

    applies = frozenset({"apiId", *_INTEGRATION})
    named_by_aws = True

    def create(self, aws: Aws, new: Props) -> Made:
        made = aws("apigatewayv2", "create_integration", ApiId=new["apiId"], **pick(new, **_INTEGRATION))
        return Made(made["IntegrationId"])

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        aws("apigatewayv2", "delete_integration", ApiId=old["apiId"], IntegrationId=identity)


@adapts("aws:apigatewayv2/route:Route")
class Route(Adapter):
    """What a path answers to, and who may call it."""

    applies = frozenset({"apiId", *_ROUTE})
    replaced_by = frozenset({"apiId", "routeKey"})

    def create(self, aws: Aws, new: Props) -> Made:
        return Made(aws("apigatewayv2", "create_route", ApiId=new["apiId"], **pick(new, **_ROUTE))["RouteId"])

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        if any(old.get(key) and not new.get(key) for key in _ROUTE):
            return None
        aws("apigatewayv2", "update_route", ApiId=new["apiId"], RouteId=identity, **pick(new, **_ROUTE))
        return {}

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        aws("apigatewayv2", "delete_route", ApiId=old["apiId"], RouteId=identity)


@adapts("aws:apigatewayv2/stage:Stage")
class Stage(Adapter):
    """The API under an address."""

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
        # As AWS: the default stage stands at the root, any other in the path.
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
