"""API Gateway: the methods of REST APIs."""

from __future__ import annotations

from typing import Any

from local.adapters.base import Adapter, Made, Props, Put, adapts, pick
from local.aws import Aws


class _OfMethod(Put):
    """A part of a method; putting it again overwrites it."""

    replaced_by = frozenset({"restApi", "resourceId", "httpMethod", "statusCode"})
    what = ""

    def create(self, aws: Aws, new: Props) -> Made:
        aws("apigateway", f"put_{self.what}", **_place(new), **self.content(new))
        place = [new["restApi"], new["resourceId"], new["httpMethod"], new.get("statusCode", "")]
        return Made("-".join([self.what, *place]))

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del identity
        aws("apigateway", f"delete_{self.what}", **_place(old))

    def content(self, new: Props) -> dict[str, Any]:
        """Return the call's parameters beyond the place."""
        raise NotImplementedError


@adapts("aws:apigateway/method:Method")
class Method(_OfMethod):
    """What a path answers to, and who may call it."""

    applies = frozenset(
        {
            "restApi",
            "resourceId",
            "httpMethod",
            "apiKeyRequired",
            "authorization",
            "authorizationScopes",
            "authorizerId",
            "operationName",
            "requestModels",
            "requestParameters",
            "requestValidatorId",
        }
    )
    what = "method"

    # Putting it takes the method's integration and its responses away: they are to be made again.
    update = Adapter.update

    def content(self, new: Props) -> dict[str, Any]:
        return pick(
            new,
            apiKeyRequired="apiKeyRequired",
            authorization="authorizationType",
            authorizationScopes="authorizationScopes",
            authorizerId="authorizerId",
            operationName="operationName",
            requestModels="requestModels",
            requestParameters="requestParameters",
            requestValidatorId="requestValidatorId",
        )


@adapts("aws:apigateway/methodResponse:MethodResponse")
class MethodResponse(_OfMethod):
    """A status that a method may answer with."""

    applies = frozenset({"restApi", "resourceId", "httpMethod", "statusCode", "responseModels", "responseParameters"})
    what = "method_response"

    def content(self, new: Props) -> dict[str, Any]:
        return pick(new, responseModels="responseModels", responseParameters="responseParameters")


@adapts("aws:apigateway/integration:Integration")
class Integration(_OfMethod):
    """What stands behind a method."""

    applies = frozenset(
        {
            "restApi",
            "resourceId",
            "httpMethod",
            "contentHandling",
            "credentials",
            "integrationHttpMethod",
            "passthroughBehavior",
            "requestParameters",
            "requestTemplates",
            "timeoutMilliseconds",
            "type",
            "uri",
        }
    )
    what = "integration"
    # Putting it takes its responses away: they are to be made again.
    update = Adapter.update

    def content(self, new: Props) -> dict[str, Any]:
        return pick(
            new,
            contentHandling="contentHandling",
            credentials="credentials",
            integrationHttpMethod="integrationHttpMethod",
            passthroughBehavior="passthroughBehavior",
            requestParameters="requestParameters",
            requestTemplates="requestTemplates",
            timeoutMilliseconds="timeoutInMillis",
            type="type",
            uri="uri",
        )


@adapts("aws:apigateway/integrationResponse:IntegrationResponse")
class IntegrationResponse(_OfMethod):
    """How an integration's answer becomes the method's."""

    applies = frozenset(
        {
            "restApi",
            "resourceId",
            "httpMethod",
            "statusCode",
            "contentHandling",
            "responseParameters",
            "responseTemplates",
            "selectionPattern",
        }
    )
    what = "integration_response"

    def content(self, new: Props) -> dict[str, Any]:
        return pick(
            new,
            contentHandling="contentHandling",
            responseParameters="responseParameters",
            responseTemplates="responseTemplates",
            selectionPattern="selectionPattern",
        )


def _place(new: Props) -> dict[str, Any]:
    return pick(new, restApi="restApiId", resourceId="resourceId", httpMethod="httpMethod", statusCode="statusCode")
