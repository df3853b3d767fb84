"""ReimportApi creates the parts of an HTTP API from an OpenAPI document.

This correction implements the parts of OpenAPI that the stacks' documents contain, and refuses all other parts. The
correction deletes parts of the API that the document no longer contains. A refused document changes nothing. The tags
of a document become AWS tags of the API.

Emulator: The emulator responds 404 to ReimportApi.
AWS: ReimportApi replaces everything in an HTTP API with the content of an OpenAPI document.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-open-api.html
Upstream: request as a feature.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from emulator_fixes import internal, replaces
from emulator_fixes.imports import EXTENSION, RefusedError, accepted, check_info, made, only

_gateway: Any = internal("services.apigateway")
_METHODS: Final = ("get", "post", "put", "delete", "patch", "head", "options")
_CORS: Final = ("allowOrigins", "allowMethods", "allowHeaders", "exposeHeaders", "maxAge")


@replaces("services.apigateway.handle_request", "c8227527d626")
async def handle_request(original: Any, method: str, path: str, headers: Any, body: Any, query: Any) -> Any:
    """Handle ReimportApi. Every other call goes to the emulator unchanged."""
    parts = path.strip("/").split("/")
    if method != "PUT" or len(parts) != 3 or parts[:2] != ["v2", "apis"]:  # noqa: PLR2004
        return await original(method, path, headers, body, query)
    api = _gateway._apis.get(parts[2])
    if api is None:
        return _gateway._api_not_found(parts[2])
    try:
        document = accepted(lambda: json.loads(json.loads(body)["body"]), _check)
    except RefusedError as error:
        return _gateway._apigw_error("BadRequestException", f"Invalid OpenAPI input: {error}", 400)
    _overwrite(api, document)
    return _gateway._apigw_response(api, 201)


def _check(document: Any) -> None:
    """Raise RefusedError if AWS would refuse or partly ignore the document, or if this module does not support it."""
    only(document, ("openapi", "info", "tags", "paths", "components", f"{EXTENSION}-cors"), "the document")
    check_info(document)
    only(document.get(f"{EXTENSION}-cors", {}), _CORS, "the CORS rules")
    components: dict[str, Any] = document.get("components", {})
    only(components, ("securitySchemes",), "components")
    schemes: dict[str, Any] = components.get("securitySchemes", {})
    for name, scheme in schemes.items():
        only(scheme, ("type", f"{EXTENSION}-authorizer"), name)
        only(scheme[f"{EXTENSION}-authorizer"], ("type", "identitySource", "jwtConfiguration"), name)
        if (scheme["type"], scheme[f"{EXTENSION}-authorizer"]["type"]) != ("oauth2", "jwt"):
            raise RefusedError(f"security scheme {name}: the local import supports JWT authorizers only")
    for path, item in document["paths"].items():
        only(item, _METHODS, path)
        for method, operation in item.items():
            name = f"{method} {path}"
            only(operation, ("operationId", "responses", "security", f"{EXTENSION}-integration"), name)
            integration: dict[str, Any] = operation[f"{EXTENSION}-integration"]
            only(integration, ("type", "httpMethod", "uri", "payloadFormatVersion", "timeoutInMillis"), name)
            if integration["type"] != "AWS_PROXY":
                raise RefusedError(f"{name}: the local import supports function integrations (AWS_PROXY) only")
            required = [scheme for requirement in operation.get("security", []) for scheme in requirement]
            if len(required) > 1 or not set(required) <= set(schemes):
                raise RefusedError(f"{name}: security: got {required}; allowed: one of {sorted(schemes)}")


def _overwrite(api: dict[str, Any], document: Any) -> None:
    """Replace the content of the API with the content of `document`, an OpenAPI document. The API keeps its stages."""
    identity, info = api["apiId"], document["info"]
    api.update(name=info["title"], version=info["version"], description=info.get("description", ""))
    tags = {tag["name"]: tag.get(f"{EXTENSION}-tag-value", "") for tag in document.get("tags", [])}
    api["tags"] = tags
    _gateway._api_tags[_gateway._api_arn(identity)] = dict(tags)
    api.pop("corsConfiguration", None)
    if cors := document.get(f"{EXTENSION}-cors"):
        api["corsConfiguration"] = cors
    for store in (_gateway._routes, _gateway._integrations, _gateway._authorizers):
        store[identity] = {}
    authorizers = {
        name: made(_gateway._create_authorizer(identity, _authorizer(name, scheme)))["authorizerId"]
        for name, scheme in document.get("components", {}).get("securitySchemes", {}).items()
    }
    for path, item in document["paths"].items():
        for method, operation in item.items():
            made(_gateway._create_route(identity, _route(identity, f"{method.upper()} {path}", operation, authorizers)))


def _authorizer(name: str, scheme: Any) -> dict[str, Any]:
    authorizer = scheme[f"{EXTENSION}-authorizer"]
    return {
        "name": name,
        "authorizerType": "JWT",
        "identitySource": [authorizer["identitySource"]],
        "jwtConfiguration": authorizer["jwtConfiguration"],
    }


def _route(api: str, key: str, operation: Any, authorizers: Mapping[str, str]) -> dict[str, Any]:
    integration = operation[f"{EXTENSION}-integration"]
    created = made(
        _gateway._create_integration(
            api,
            {
                "integrationType": integration["type"],
                "integrationMethod": integration["httpMethod"],
                "integrationUri": integration["uri"],
                "payloadFormatVersion": integration["payloadFormatVersion"],
                "timeoutInMillis": integration["timeoutInMillis"],
            },
        )
    )
    security: dict[str, Any] = {}
    for requirement in operation.get("security", []):
        for scheme, scopes in requirement.items():
            security = {
                "authorizationType": "JWT",
                "authorizerId": authorizers[scheme],
                "authorizationScopes": scopes,
            }
    return {
        **security,
        "routeKey": key,
        "operationName": operation.get("operationId", ""),
        "target": f"integrations/{created['integrationId']}",
    }
