"""PutRestApi creates the parts of a REST API from an OpenAPI document.

This correction implements the parts of OpenAPI that the stacks' documents contain. It refuses all other parts, because
AWS would ignore some of them and the rest is not implemented here. The only supported mode, `overwrite`, deletes parts
of the API that the document no longer contains. A refused document changes nothing.

Emulator: The emulator responds 404 to PutRestApi. It imports OpenAPI documents only from CloudFormation templates, and
    supports only their paths, their authorizers, and the type and URI of each integration.
AWS: PutRestApi imports a whole OpenAPI document.
Source: https://docs.aws.amazon.com/apigateway/latest/api/API_PutRestApi.html
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
Upstream: request as a feature.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from emulator_fixes import internal, replaces
from emulator_fixes.imports import EXTENSION, RefusedError, accepted, check_info, made, only

_gateway: Any = internal("services.apigateway_v1")
_ANY: Final = f"{EXTENSION}-any-method"
_METHODS: Final = ("get", "post", "put", "delete", "patch", "head", "options", _ANY)
_SCHEMAS: Final = "#/components/schemas/"
_PLACES: Final = {"path": "path", "query": "querystring", "header": "header"}
_DOCUMENT: Final = (
    *("openapi", "info", "paths", "components"),
    *(f"{EXTENSION}-{name}" for name in ("request-validators", "gateway-responses")),
    *(f"{EXTENSION}-{name}" for name in ("security-policy", "endpoint-access-mode")),
)
_OPERATION: Final = (
    *("operationId", "parameters", "requestBody", "responses", "security"),
    *(f"{EXTENSION}-integration", f"{EXTENSION}-request-validator"),
)
_INTEGRATION: Final = (
    *("type", "httpMethod", "uri", "credentials", "passthroughBehavior", "requestTemplates"),
    *("timeoutInMillis", "responses"),
)
_AUTHORIZER: Final = ("type", "providerARNs", "identityValidationExpression")


@replaces("services.apigateway_v1.handle_request", "5c8aba9f1a88")
async def handle_request(original: Any, method: str, path: str, headers: Any, body: Any, query: Any) -> Any:
    """Handle PutRestApi. Every other call goes to the emulator unchanged."""
    parts = path.strip("/").split("/")
    if method != "PUT" or len(parts) != 2 or parts[0] != "restapis":  # noqa: PLR2004
        return await original(method, path, headers, body, query)
    api = _gateway._rest_apis.get(parts[1])
    if api is None:
        return _gateway._v1_error("NotFoundException", "Invalid API identifier specified", 404)
    if _gateway._qp(query, "mode") != "overwrite":
        return _gateway._v1_error("BadRequestException", "mode: the local import supports `overwrite` only", 400)
    try:
        document = accepted(lambda: json.loads(body), _check)
    except RefusedError as error:
        return _gateway._v1_error("BadRequestException", f"Invalid OpenAPI input: {error}", 400)
    _overwrite(api, document)
    return _gateway._v1_response(_gateway._rest_api_view(api))


def _check(document: Any) -> None:
    """Raise RefusedError if AWS would refuse or partly ignore the document, or if this module does not support it."""
    only(document, _DOCUMENT, "the document")
    if not re.fullmatch(r"3\.0\.\d", str(document.get("openapi"))):
        raise RefusedError(f"openapi: got {document.get('openapi')}; allowed: 3.0.x")
    check_info(document)
    components: dict[str, Any] = document.get("components", {})
    only(components, ("schemas", "securitySchemes"), "components")
    for name, schema in components.get("schemas", {}).items():
        if not re.fullmatch("[A-Za-z0-9]+", name):
            raise RefusedError(f"model {name}: a name can contain letters and digits only")
        if "$ref" in json.dumps(schema):
            raise RefusedError(f"model {name}: the local import supports no reference ($ref) to another model")
    for name, scheme in components.get("securitySchemes", {}).items():
        _check_scheme(name, scheme)
    _check_siblings(document["paths"])
    for path, item in document["paths"].items():
        only(item, _METHODS, path)
        for method, operation in item.items():
            _check_operation(f"{method} {path}", operation, document)


def _check_scheme(name: str, scheme: Any) -> None:
    only(scheme, ("type", "name", "in", f"{EXTENSION}-authtype", f"{EXTENSION}-authorizer"), name)
    if (scheme["type"], scheme["in"]) != ("apiKey", "header"):
        raise RefusedError(f"security scheme {name}: `type` must be apiKey, and `in` must be header")
    authorizer: Any = scheme.get(f"{EXTENSION}-authorizer", {})
    only(authorizer, _AUTHORIZER, name)
    kinds = {authorizer.get("type"), scheme.get(f"{EXTENSION}-authtype")}
    if kinds != {"cognito_user_pools"}:
        raise RefusedError(
            f"security scheme {name}: the local import supports authorizers of type cognito_user_pools only"
        )


def _check_siblings(paths: Mapping[str, Any]) -> None:
    variables: dict[str, str] = {}
    for path in paths:
        parts = path.strip("/").split("/")
        for position, part in enumerate(parts):
            parent = "/".join(parts[:position])
            if part.startswith("{") and variables.setdefault(parent, part) != part:
                raise RefusedError(
                    f"A sibling ({variables[parent]}) of this resource already has a variable path part -- only one is "
                    f"allowed: {path}"
                )


def _check_operation(name: str, operation: Any, document: Any) -> None:
    only(operation, _OPERATION, name)
    integration: Any = operation.get(f"{EXTENSION}-integration")
    if not integration:
        raise RefusedError(f"{name}: no integration")
    only(integration, _INTEGRATION, f"the integration of {name}")
    for status, response in operation["responses"].items():
        only(response, ("description", "headers"), f"the response {status} of {name}")
    answers: dict[str, Any] = integration.get("responses", {})
    undeclared = {answer["statusCode"] for answer in answers.values()} - set(operation["responses"])
    if undeclared:
        raise RefusedError(f"{name}: `responses` lacks {sorted(undeclared)}, which the integration returns")
    validator = operation.get(f"{EXTENSION}-request-validator")
    if validator and validator not in document.get(f"{EXTENSION}-request-validators", {}):
        raise RefusedError(f"{name}: the request validator {validator} does not exist")
    for content in operation.get("requestBody", {}).get("content", {}).values():
        if str(content["schema"].get("$ref")).removeprefix(_SCHEMAS) not in document["components"]["schemas"]:
            raise RefusedError(f"{name}: the body's schema must be a reference to a model, got {content['schema']}")
    for requirement in operation.get("security", []):
        if unknown := set(requirement) - set(document["components"]["securitySchemes"]):
            raise RefusedError(f"{name}: the security schemes {sorted(unknown)} do not exist")


def _overwrite(api: dict[str, Any], document: Any) -> None:
    """Replace the content of the API with the content of `document`, an OpenAPI document.

    The API keeps its endpoint type, tags, stages and deployments.
    """
    identity, info = api["id"], document["info"]
    components: dict[str, Any] = document.get("components", {})
    api.update(
        name=info["title"],
        description=info.get("description", ""),
        version=info["version"],
        securityPolicy=document.get(f"{EXTENSION}-security-policy"),
        endpointAccessMode=document.get(f"{EXTENSION}-endpoint-access-mode"),
    )
    root = next(each for each in _gateway._resources[identity].values() if each["path"] == "/")
    _gateway._resources[identity] = {root["id"]: {**root, "resourceMethods": {}}}
    for store in (
        _gateway._models,
        _gateway._request_validators,
        _gateway._authorizers_v1,
        _gateway._gateway_responses,
    ):
        store[identity] = {}
    for name, schema in components.get("schemas", {}).items():
        _gateway._create_model(identity, {"name": name, "schema": json.dumps(schema)})
    validators = {
        name: made(_gateway._create_request_validator(identity, {"name": name, **checks}))["id"]
        for name, checks in document.get(f"{EXTENSION}-request-validators", {}).items()
    }
    authorizers = {
        name: made(_gateway._create_authorizer(identity, _authorizer(name, scheme)))["id"]
        for name, scheme in components.get("securitySchemes", {}).items()
    }
    for kind, response in document.get(f"{EXTENSION}-gateway-responses", {}).items():
        made(_gateway._put_gateway_response(identity, kind, response))
    for path, item in document["paths"].items():
        resource = _resource(identity, root["id"], path)
        for key, operation in item.items():
            method = "ANY" if key == _ANY else key.upper()
            _gateway._put_method(identity, resource, method, _method(operation, validators, authorizers))
            _integrate(identity, resource, method, operation)


def _authorizer(name: str, scheme: Any) -> dict[str, Any]:
    authorizer = scheme[f"{EXTENSION}-authorizer"]
    return {
        **authorizer,
        "name": name,
        "type": authorizer["type"].upper(),
        "identitySource": f"method.request.header.{scheme['name']}",
    }


def _resource(api: str, root: str, path: str) -> str:
    """Return the id of the resource at `path`. Creates the resources on the path that do not exist yet."""
    resource = root
    for part in path.strip("/").split("/") if path != "/" else ():
        children = (each for each in _gateway._resources[api].values() if each["parentId"] == resource)
        found = next((child["id"] for child in children if child["pathPart"] == part), None)
        resource = found or made(_gateway._create_resource(api, resource, {"pathPart": part}))["id"]
    return resource


def _method(operation: Any, validators: Mapping[str, str], authorizers: Mapping[str, str]) -> dict[str, Any]:
    requirements = [each for requirement in operation.get("security", []) for each in requirement.items()]
    security: dict[str, Any] = {}
    for scheme, scopes in requirements:
        security = {
            "authorizationType": "COGNITO_USER_POOLS",
            "authorizerId": authorizers[scheme],
            "authorizationScopes": scopes,
        }
    content: dict[str, Any] = operation.get("requestBody", {}).get("content", {})
    return {
        **security,
        "operationName": operation.get("operationId", ""),
        "requestParameters": {
            f"method.request.{_PLACES[each['in']]}.{each['name']}": each.get("required", False)
            for each in operation.get("parameters", [])
        },
        "requestModels": {kind: each["schema"]["$ref"].removeprefix(_SCHEMAS) for kind, each in content.items()},
        "requestValidatorId": validators.get(operation.get(f"{EXTENSION}-request-validator")),
    }


def _integrate(api: str, resource: str, method: str, operation: Any) -> None:
    for status, response in operation["responses"].items():
        headers = dict.fromkeys((f"method.response.header.{name}" for name in response.get("headers", {})), False)
        _gateway._put_method_response(api, resource, method, status, {"responseParameters": headers})
    integration: dict[str, Any] = dict(operation[f"{EXTENSION}-integration"])
    answers: dict[str, Any] = integration.pop("responses", {})
    behavior = integration.pop("passthroughBehavior", "when_no_match").upper()
    integration |= {"type": integration["type"].upper(), "passthroughBehavior": behavior}
    _gateway._put_integration(api, resource, method, integration)
    for pattern, answer in answers.items():
        selection = {} if pattern == "default" else {"selectionPattern": pattern}
        _gateway._put_integration_response(api, resource, method, answer["statusCode"], {**answer, **selection})
