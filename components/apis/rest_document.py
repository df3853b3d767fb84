"""Builds the OpenAPI document that creates the REST API: the contract with API Gateway's extensions.

The document contains only those parts of the contract that affect the behavior of API Gateway. A change of a
description or of a documented response therefore does not redeploy the API.

API Gateway supports only a part of OpenAPI (Developer Guide, "important notes for REST APIs"). The document therefore
declares parameters and security on each operation instead of once for all operations. Its models contain no references
to each other, and its security schemes have the type `apiKey`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import pulumi

from components.apis.cors import CorsRules
from components.apis.gateway_responses import NO_SUCH_ROUTE, gateway_responses
from components.apis.mapping_templates import JSON, error_body
from components.aws import openapi
from components.aws.iam import canonical_json
from components.aws.openapi import Operation
from contracts.orders import API_TIMEOUT_S

INTEGRATION_TIMEOUT_MS: Final = API_TIMEOUT_S * 1000
# This security policy allows TLS 1.2 and 1.3. The default policy of a regional API would also allow TLS 1.0. The access
# mode STRICT requires that the host name of the TLS connection belongs to this API. Both settings are also in the
# OpenAPI document, because an import resets every setting that the document leaves out.
SECURITY_POLICY: Final = "SecurityPolicy_TLS13_1_2_2021_06"
ENDPOINT_ACCESS_MODE: Final = "STRICT"
# A MOCK integration needs a request template for the media type of the request body. If there is none, API Gateway
# returns 415 instead of the integration's response. One template cannot match all media types, so each of these common
# media types gets a template.
ANSWERED_MEDIA_TYPES: Final = (
    JSON,
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "application/xml",
    "multipart/form-data",
    "text/csv",
    "text/html",
    "text/plain",
    "text/xml",
)
_EXTENSION: Final = "x-amazon-apigateway"
_VALIDATOR: Final = "body-and-parameters"
_OVERRIDDEN: Final = re.compile(r"\$context\.responseOverride\.header\.([\w-]+)")
_IN: Final = {"header": "required_headers", "path": "path_parameters", "query": "required_queries"}


@dataclass(frozen=True, kw_only=True)
class RestDocumentArgs:
    """The values that the OpenAPI document needs in addition to the contract."""

    title: str
    """Name of the API. CloudWatch uses it as the dimension `ApiName`."""
    operations: Sequence[Operation]
    """All operations of the contract."""
    parts: Mapping[str, Mapping[str, Any]]
    """Integration and responses of each operation, by operation id. `proxy_parts` and `answer_parts` return them."""
    user_pool_arn: pulumi.Input[str]
    """ARN of the Cognito user pool whose ID tokens the API accepts."""
    client_id: pulumi.Input[str]
    """Id of the app client. The claim `aud` of a token must equal this id."""
    cors: CorsRules
    """Origins that may call the API from a browser."""


def rest_document(args: RestDocumentArgs) -> dict[str, Any]:
    """Return the OpenAPI document. Some of its values are Pulumi outputs."""
    schemes = {operation.scheme for operation in args.operations if operation.scheme}
    return {
        "openapi": "3.0.3",
        "info": {"title": args.title, "version": "1"},
        "paths": _paths(args),
        "components": {
            "schemas": {
                operation.model_name: openapi.without_prose(operation.request_schema)
                for operation in args.operations
                if operation.request_schema is not None
            },
            "securitySchemes": {scheme: _authorizer(args) for scheme in sorted(schemes)},
        },
        f"{_EXTENSION}-request-validators": {
            _VALIDATOR: {"validateRequestBody": True, "validateRequestParameters": True}
        },
        f"{_EXTENSION}-gateway-responses": gateway_responses(args.cors),
        f"{_EXTENSION}-security-policy": SECURITY_POLICY,
        f"{_EXTENSION}-endpoint-access-mode": ENDPOINT_ACCESS_MODE,
    }


def proxy_parts(invoke_arn: pulumi.Input[str]) -> dict[str, Any]:
    """Return the integration and the responses of an operation that a Lambda function handles.

    `invoke_arn` is the invocation URI of the function.
    """
    integration = {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": invoke_arn,
        "timeoutInMillis": INTEGRATION_TIMEOUT_MS,
    }
    # In a Lambda proxy integration, API Gateway passes the function's response on unchanged, so the method declares no
    # responses.
    return {"responses": {}, f"{_EXTENSION}-integration": integration}


def answer_parts(
    headers: Mapping[str, str],
    templates: Mapping[int, tuple[str | None, str]],
    *,
    headers_of: Mapping[int, Mapping[str, str]] = MappingProxyType({}),
    **integration: Any,
) -> dict[str, Any]:
    """Return the integration and the responses of an operation whose response bodies come from mapping templates.

    - `headers`: fixed headers of every response.
    - `templates`: {HTTP status: (selection pattern, mapping template of the body)}, with one response per status. The
      default response has the pattern None.
    - `headers_of`: {HTTP status: headers}, fixed headers that only the response with this status has.
    - `integration`: other properties of the extension `x-amazon-apigateway-integration`.
    """
    answers: dict[str, Any] = {}
    responses: dict[str, Any] = {}
    for status, (pattern, template) in templates.items():
        fixed = {**headers, **headers_of.get(status, {})}
        answers[pattern or "default"] = {
            "statusCode": str(status),
            "responseParameters": {f"method.response.header.{name}": f"'{value}'" for name, value in fixed.items()},
            "responseTemplates": {JSON: template},
        }
        # A response template can set only headers that the method declares for the response, so the method declares all
        # of them.
        declared = sorted({*fixed, *_OVERRIDDEN.findall(template)})
        responses[str(status)] = {
            "description": str(status),
            "headers": {name: {"schema": {"type": "string"}} for name in declared},
        }
    return {
        "responses": responses,
        f"{_EXTENSION}-integration": {
            **integration,
            "timeoutInMillis": INTEGRATION_TIMEOUT_MS,
            "responses": answers,
        },
    }


def _paths(args: RestDocumentArgs) -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for operation in args.operations:
        method = {**_contract(operation), **args.parts[operation.operation_id]}
        paths.setdefault(operation.path, {})[operation.method.lower()] = method
    for path, methods in paths.items():
        methods["options"] = _preflight(args, path)
    # The methods below return 404 for an unknown path or method. Without them, API Gateway would interpret the
    # Authorization header of such a request as an AWS signature. The clients send a token in this header, so they would
    # receive 403. The greedy resource `/{proxy+}` matches unknown methods and every unknown path except the root `/`,
    # so the root needs its own method.
    for path in ("/", "/{proxy+}"):
        paths.setdefault(path, {})[f"{_EXTENSION}-any-method"] = _not_found(args, path)
    return paths


def _contract(operation: Operation) -> dict[str, Any]:
    """Return the parts of an operation's contract that affect the behavior of API Gateway."""
    parameters = [
        {"name": name, "in": place, "required": True, "schema": {"type": "string"}}
        for place, names in _IN.items()
        for name in getattr(operation, names)
    ]
    said: dict[str, Any] = {
        "operationId": operation.operation_id,
        f"{_EXTENSION}-request-validator": _VALIDATOR,
        # The authorizer accepts ID tokens if `security` lists no scopes, and access tokens if it lists scopes. Each
        # operation sets its own `security`, because an import ignores the `security` at the top level of the document.
        "security": [{operation.scheme: list(operation.scopes)}] if operation.scheme else [],
    }
    if parameters:
        said["parameters"] = parameters
    if operation.request_schema is not None:
        schema = {"$ref": f"#/components/schemas/{operation.model_name}"}
        said["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    return said


def _authorizer(args: RestDocumentArgs) -> dict[str, Any]:
    return {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        f"{_EXTENSION}-authtype": "cognito_user_pools",
        f"{_EXTENSION}-authorizer": {
            "type": "cognito_user_pools",
            "providerARNs": [args.user_pool_arn],
            # Without this expression, the authorizer would accept tokens of all app clients of the user pool.
            "identityValidationExpression": pulumi.Output.concat("^", args.client_id, "$"),
        },
    }


def _preflight(args: RestDocumentArgs, path: str) -> dict[str, Any]:
    """Return the operation `OPTIONS` of `path`, which responds to preflight requests.

    The operation requires no token, because browsers send no token with preflight requests.
    """
    methods = [operation.method for operation in args.operations if operation.path == path]
    return _fixed_answer(200, args.cors.preflight_headers(methods), args.cors.origin_template)


def _not_found(args: RestDocumentArgs, path: str) -> dict[str, Any]:
    body = args.cors.origin_template + error_body("NotFound", NO_SUCH_ROUTE)
    answer = _fixed_answer(404, args.cors.answer_headers, body)
    if "{" in path:
        answer["parameters"] = [{"name": "proxy", "in": "path", "required": True, "schema": {"type": "string"}}]
    return answer


def _fixed_answer(status: int, headers: Mapping[str, str], template: str) -> dict[str, Any]:
    """Return an operation that sends `status`, `headers` and the rendered `template` as the response to every request.

    The operation has no backend and requires no token.
    """
    return answer_parts(
        headers,
        {status: (None, template)},
        type="mock",
        passthroughBehavior="never",
        requestTemplates=dict.fromkeys(ANSWERED_MEDIA_TYPES, canonical_json({"statusCode": status})),
    )
