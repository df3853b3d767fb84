"""Builds the OpenAPI document that creates the HTTP API: the contract's routes with API Gateway's extensions.

Only routes and scopes come from the contract. An HTTP API does not validate request bodies, so the document has no
schemas; the functions validate the bodies.

AWS reads the API's name, version, tags and CORS rules from the document. The component HttpApi sets the same values on
the Pulumi resource. Otherwise, the values in AWS would differ from those of the resource, and every `pulumi preview`
would show a change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.apis.cors import ALLOWED_HEADERS, MAX_AGE_S, CorsRules
from components.aws.openapi import Operation
from contracts.orders import API_TIMEOUT_S

# An HTTP API waits at most 30 s for an integration, and AWS does not raise this quota. The REST API has a shorter time
# limit. Both APIs use the limit of the REST API, so that their functions have one limit.
INTEGRATION_TIMEOUT_MS: Final = API_TIMEOUT_S * 1000
VERSION: Final = "1"
# A web page can read a response header only if CORS exposes it. `apigw-requestid` contains the request id.
_EXPOSED_HEADERS: Final = ("apigw-requestid", "retry-after")
_EXTENSION: Final = "x-amazon-apigateway"


@dataclass(frozen=True, kw_only=True)
class HttpDocumentArgs:
    """The values that the OpenAPI document needs in addition to the contract."""

    title: str
    """Name of the API."""
    tags: Mapping[str, str]
    """AWS tags of the API."""
    operations: Sequence[Operation]
    """All operations of the contract."""
    invoke_arns: Mapping[str, pulumi.Input[str]]
    """Maps each operation id to the invocation URI of the function that handles the operation."""
    issuer: pulumi.Input[str]
    """URL of the Cognito user pool. The claim `iss` of a token must equal this URL."""
    client_id: pulumi.Input[str]
    """Id of the app client. The claim `aud` or `client_id` of a token must equal this id."""
    cors: CorsRules
    """Origins that may call the API from a browser."""


def http_document(args: HttpDocumentArgs) -> dict[str, Any]:
    """Return the OpenAPI document. Some of its values are Pulumi outputs."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in args.operations:
        route = _route(operation, args.invoke_arns[operation.operation_id])
        paths.setdefault(operation.path, {})[operation.method.lower()] = route
    schemes = {operation.scheme for operation in args.operations if operation.scheme}
    return {
        "openapi": "3.0.3",
        "info": {"title": args.title, "version": VERSION},
        # The AWS tags of the API. When API Gateway imports an OpenAPI document as an HTTP API, it converts the
        # document's tags into AWS tags.
        "tags": [{"name": key, f"{_EXTENSION}-tag-value": value} for key, value in sorted(args.tags.items())],
        "paths": paths,
        "components": {"securitySchemes": {scheme: _authorizer(args) for scheme in sorted(schemes)}},
        f"{_EXTENSION}-cors": {_camel(key): value for key, value in cors_rules(args.operations, args.cors).items()},
    }


def cors_rules(operations: Sequence[Operation], cors: CorsRules) -> aws.apigatewayv2.ApiCorsConfigurationArgsDict:
    """Return the CORS configuration in the form of the Pulumi resource `aws.apigatewayv2.Api`.

    With this configuration, API Gateway responds to preflight requests, and replaces CORS headers that the functions
    return.
    """
    return {
        "allow_origins": list(cors.origins),
        "allow_methods": sorted({operation.method for operation in operations}),
        "allow_headers": [header.lower() for header in ALLOWED_HEADERS if header != "Idempotency-Key"],
        "expose_headers": list(_EXPOSED_HEADERS),
        "max_age": MAX_AGE_S,
    }


def _route(operation: Operation, invoke_arn: pulumi.Input[str]) -> dict[str, Any]:
    return {
        "operationId": operation.operation_id,
        "responses": {},
        "security": [{operation.scheme: list(operation.scopes)}] if operation.scheme else [],
        f"{_EXTENSION}-integration": {
            "type": "AWS_PROXY",
            "httpMethod": "POST",
            "uri": invoke_arn,
            "payloadFormatVersion": "2.0",
            "timeoutInMillis": INTEGRATION_TIMEOUT_MS,
        },
    }


def _authorizer(args: HttpDocumentArgs) -> dict[str, Any]:
    return {
        "type": "oauth2",
        f"{_EXTENSION}-authorizer": {
            "type": "jwt",
            "identitySource": "$request.header.Authorization",
            "jwtConfiguration": {"issuer": args.issuer, "audience": [args.client_id]},
        },
    }


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return "".join([first, *(other.capitalize() for other in others)])
