"""A REST API that tests create step by step with calls to API Gateway."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from local.client import Answer, Client
from tests.local.cloud import Cloud, unique

STAGE = "test"


@dataclass
class RestApi:
    """A REST API. Call `deploy` before sending requests."""

    cloud: Cloud
    id: str
    root: str

    @classmethod
    def make(cls, cloud: Cloud) -> RestApi:
        identity = cloud("apigateway", "create_rest_api", name=unique("api"))["id"]
        items = cloud("apigateway", "get_resources", restApiId=identity)["items"]
        return cls(cloud, identity, next(item["id"] for item in items if item["path"] == "/"))

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.cloud("apigateway", operation, restApiId=self.id, **parameters)

    def method(
        self, path: str, http_method: str, integration: dict[str, Any], *responses: dict[str, Any], **more: Any
    ) -> None:
        """Add a method with its integration and the integration responses `responses`. `path` has one segment."""
        listed = self.call("get_resources", limit=500)["items"]
        found = next((item["id"] for item in listed if item["path"] == f"/{path}"), None)
        resource = found or self.call("create_resource", parentId=self.root, pathPart=path)["id"]
        place = {"resourceId": resource, "httpMethod": http_method}
        self.call("put_method", **place, **({"authorizationType": "NONE"} | more))
        self.call("put_integration", **place, **integration)
        for response in responses:
            status = response["statusCode"]
            headers = dict.fromkeys(response.get("responseParameters", {}), False)
            self.call("put_method_response", **place, statusCode=status, responseParameters=headers)
            self.call("put_integration_response", **place, **response)

    def proxy(self, path: str, http_method: str, function: str, *, permitted: bool = True, **more: Any) -> None:
        """Add a method that invokes the Lambda function with the ARN `function`.

        If `permitted` is true, the function's policy allows API Gateway to invoke the function.
        """
        uri = f"arn:aws:apigateway:{self.cloud.region}:lambda:path/2015-03-31/functions/{function}/invocations"
        integration = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": uri}
        self.method(path, http_method, integration, **more)
        if permitted:
            name, _, qualifier = function.partition(":function:")[2].partition(":")
            self.cloud(
                "lambda",
                "add_permission",
                FunctionName=name,
                Qualifier=qualifier,
                StatementId=unique("rest"),
                Action="lambda:InvokeFunction",
                Principal="apigateway.amazonaws.com",
                SourceArn=self.cloud.arn(
                    "execute-api", f"{self.id}/{STAGE}/{http_method}/{'*' if '{' in path else path}"
                ),
            )

    def deploy(self) -> None:
        deployment = self.call("create_deployment")["id"]
        stages = [stage["stageName"] for stage in self.call("get_stages")["item"]]
        if STAGE in stages:
            patch = {"op": "replace", "path": "/deploymentId", "value": deployment}
            self.call("update_stage", stageName=STAGE, patchOperations=[patch])
        else:
            self.call("create_stage", stageName=STAGE, deploymentId=deployment)

    def send(self, http_method: str, path: str, body: Any = None, **headers: str) -> Answer:
        url = f"{self.cloud.instance.url}/restapis/{self.id}/{STAGE}/_user_request_/{path}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
            named.setdefault("Content-Type", "application/json")
        return Client({}, "").send(http_method, url, body=body, headers=named)
