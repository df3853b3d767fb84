"""Paths, methods and models of a REST API, from its OpenAPI document."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.apis.api_snapshot import ApiSnapshot
from components.apis.cors import CorsRules, integration_response_headers, method_response_headers
from components.apis.gateway_responses import NO_SUCH_ROUTE
from components.apis.mapping_templates import JSON, error_body
from components.aws.iam import canonical_json
from components.aws.openapi import Operation

# API Gateway's longest wait for an integration without a raised quota.
INTEGRATION_TIMEOUT_MS: Final = 29_000
# A MOCK integration answers 415 to a body of a media type without a template, and no template stands for all of them.
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
_DRAFT_4: Final = "http://json-schema.org/draft-04/schema#"


def kebab(text: str) -> str:
    """Return an operation's id or a path as part of a resource name: `createUser` -> `create-user`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", text)
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


@dataclass(frozen=True, kw_only=True)
class RestRoutes:
    """Makes the routes of one API; everything it makes goes into `deployed`."""

    name: str
    """Prefix of logical names."""
    rest_api: aws.apigateway.RestApi
    cors: CorsRules
    deployed: ApiSnapshot
    parent: pulumi.Resource

    @property
    def _opts(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self.parent)

    def resources(self, paths: Iterable[str]) -> dict[str, pulumi.Output[str]]:
        """Make a resource for each segment of `paths`; return the id for each path, the unused parents too."""
        ids: dict[str, pulumi.Output[str]] = {"": self.rest_api.root_resource_id}
        for path in paths:
            parent = ""
            for segment in path.strip("/").split("/"):
                here = f"{parent}/{segment}"
                if here not in ids:
                    ids[here] = self._resource(here, parent_id=ids[parent], path_part=segment)
                parent = here
        return ids

    def _resource(self, path: str, *, parent_id: pulumi.Input[str], path_part: str) -> pulumi.Output[str]:
        return self.deployed.add(
            aws.apigateway.Resource,
            f"{self.name}-path-{kebab(path)}",
            rest_api=self.rest_api.id,
            parent_id=parent_id,
            path_part=path_part,
            opts=self._opts,
        ).id

    def validator(self) -> pulumi.Output[str]:
        """Make the validator of bodies and parameters; return its id."""
        return self.deployed.add(
            aws.apigateway.RequestValidator,
            f"{self.name}-validator",
            rest_api=self.rest_api.id,
            name="body-and-parameters",
            validate_request_body=True,
            validate_request_parameters=True,
            opts=self._opts,
        ).id

    def method(
        self,
        operation: Operation,
        *,
        resource_id: pulumi.Input[str],
        authorizer_id: pulumi.Input[str],
        validator_id: pulumi.Input[str],
    ) -> aws.apigateway.Method:
        """Make the method of `operation`, with the model of its body."""
        model = self._model(operation)
        return self.deployed.add(
            aws.apigateway.Method,
            f"{self.name}-{kebab(operation.operation_id)}",
            rest_api=self.rest_api.id,
            resource_id=resource_id,
            http_method=operation.method,
            operation_name=operation.operation_id,
            # Without scopes the authorizer takes ID tokens, with scopes access tokens.
            authorization="COGNITO_USER_POOLS" if operation.secured else "NONE",
            authorizer_id=authorizer_id if operation.secured else None,
            authorization_scopes=list(operation.scopes) or None,
            request_validator_id=validator_id,
            request_models=None if model is None else {JSON: model.name},
            request_parameters=_required_parameters(operation) or None,
            opts=self._opts,
        )

    def _model(self, operation: Operation) -> aws.apigateway.Model | None:
        if operation.request_schema is None:
            return None
        return self.deployed.add(
            aws.apigateway.Model,
            f"{self.name}-{kebab(operation.operation_id)}-body",
            rest_api=self.rest_api.id,
            # Letters and digits alone, else AWS refuses it.
            name=f"{operation.operation_id[0].upper()}{operation.operation_id[1:]}Body",
            content_type=JSON,
            schema=canonical_json({"$schema": _DRAFT_4, **operation.request_schema}),
            opts=self._opts,
        )

    def function_integration(
        self, operation: Operation, method: aws.apigateway.Method, invoke_arn: pulumi.Input[str]
    ) -> None:
        """Let the function behind `invoke_arn` answer `operation`."""
        self.deployed.add(
            aws.apigateway.Integration,
            f"{self.name}-{kebab(operation.operation_id)}-integration",
            rest_api=self.rest_api.id,
            resource_id=method.resource_id,
            http_method=method.http_method,
            type="AWS_PROXY",
            integration_http_method="POST",
            uri=invoke_arn,
            timeout_milliseconds=INTEGRATION_TIMEOUT_MS,
            opts=self._opts,
        )

    def preflights(self, operations: Iterable[Operation], ids: Mapping[str, pulumi.Output[str]]) -> None:
        """Answer preflight requests for every path, to everybody: browsers send no token with them."""
        methods: defaultdict[str, list[str]] = defaultdict(list)
        for operation in operations:
            methods[operation.path].append(operation.method)
        for path, allowed in methods.items():
            self._fixed_answer(
                f"{self.name}-preflight-{kebab(path)}",
                resource_id=ids[path],
                http_method="OPTIONS",
                status=200,
                headers=self.cors.preflight_headers(allowed),
                template=self.cors.origin_template,
            )

    def unknown_routes(self) -> None:
        """Answer 404 for what is not in the document.

        Left to itself, API Gateway takes the token of a request to an unknown path or method for a broken AWS
        signature, and answers 403. A greedy resource serves every path but the root, and methods that the other
        resources do not have.
        """
        greedy = self._resource("/unknown", parent_id=self.rest_api.root_resource_id, path_part="{proxy+}")
        for role, resource_id in (("unknown", greedy), ("root", self.rest_api.root_resource_id)):
            self._fixed_answer(
                f"{self.name}-{role}",
                resource_id=resource_id,
                http_method="ANY",
                status=404,
                headers=self.cors.answer_headers,
                template=self.cors.origin_template + error_body("NotFound", NO_SUCH_ROUTE),
            )

    def _fixed_answer(
        self,
        name: str,
        *,
        resource_id: pulumi.Input[str],
        http_method: str,
        status: int,
        headers: Mapping[str, str],
        template: str,
    ) -> None:
        """Answer a method without a backend. Nobody is asked for a token."""
        method = self.deployed.add(
            aws.apigateway.Method,
            name,
            rest_api=self.rest_api.id,
            resource_id=resource_id,
            http_method=http_method,
            authorization="NONE",
            opts=self._opts,
        )
        target: dict[str, Any] = {"rest_api": self.rest_api.id, "resource_id": resource_id}
        integration = self.deployed.add(
            aws.apigateway.Integration,
            f"{name}-integration",
            **target,
            http_method=method.http_method,
            type="MOCK",
            passthrough_behavior="NEVER",
            request_templates=dict.fromkeys(ANSWERED_MEDIA_TYPES, canonical_json({"statusCode": status})),
            opts=self._opts,
        )
        response = self.deployed.add(
            aws.apigateway.MethodResponse,
            f"{name}-{status}",
            **target,
            http_method=method.http_method,
            status_code=str(status),
            response_parameters=method_response_headers(headers),
            opts=self._opts,
        )
        self.deployed.add(
            aws.apigateway.IntegrationResponse,
            f"{name}-{status}-integration",
            **target,
            http_method=method.http_method,
            status_code=response.status_code,
            response_parameters=integration_response_headers(headers),
            response_templates={JSON: template},
            opts=pulumi.ResourceOptions(parent=self.parent, depends_on=[integration]),
        )


def _required_parameters(operation: Operation) -> dict[str, bool]:
    """Return what the validator asks for."""
    return {
        **{f"method.request.path.{name}": True for name in operation.path_parameters},
        **{f"method.request.header.{name}": True for name in operation.required_headers},
        **{f"method.request.querystring.{name}": True for name in operation.required_queries},
    }
