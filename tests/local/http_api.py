"""An HTTP API for tests. Its routes invoke a Lambda function."""

from __future__ import annotations

from dataclasses import dataclass

from local.client import Answer, Client
from tests.local.cloud import Cloud, unique


@dataclass
class HttpApi:
    """An HTTP API with the stage `$default`."""

    cloud: Cloud
    id: str

    @classmethod
    def make(cls, cloud: Cloud, function: str, *routes: str, log: dict[str, str] | None = None) -> HttpApi:
        """Create an API with `routes`, for example "GET /things".

        The routes invoke the Lambda alias with the ARN `function`. `log` contains the AccessLogSettings of the stage.
        """
        api = cloud("apigatewayv2", "create_api", Name=unique("http"), ProtocolType="HTTP")["ApiId"]
        name, _, qualifier = function.partition(":function:")[2].partition(":")
        cloud(
            "lambda",
            "add_permission",
            FunctionName=name,
            Qualifier=qualifier,
            StatementId="http",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=cloud.arn("execute-api", f"{api}/*"),
        )
        integration = cloud(
            "apigatewayv2",
            "create_integration",
            ApiId=api,
            IntegrationType="AWS_PROXY",
            IntegrationUri=function,
            PayloadFormatVersion="2.0",
        )["IntegrationId"]
        for route in routes:
            cloud("apigatewayv2", "create_route", ApiId=api, RouteKey=route, Target=f"integrations/{integration}")
        cloud("apigatewayv2", "create_stage", ApiId=api, StageName="$default", AccessLogSettings=log)
        return cls(cloud, api)

    def get(self, path: str) -> Answer:
        return Client({}, "").send("GET", f"{self.cloud.instance.url}/_aws/execute-api/{self.id}{path}")
