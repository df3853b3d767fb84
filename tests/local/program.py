"""Small Pulumi programs that tests deploy."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

HEAD = """
    import json
    import pulumi
    import pulumi_aws as aws

    def trust(service):
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
"""
TABLE = """
    table = aws.dynamodb.Table(
        "things", name="things", hash_key="id", billing_mode="PAY_PER_REQUEST", attributes=[{"name": "id", "type": "S"}]
    )
"""
FUNCTION = """
    role = aws.iam.Role("role", name="role", assume_role_policy=trust("lambda.amazonaws.com"))
    function = aws.lambda_.Function(
        "function", name="function", role=role.arn, runtime="python3.13", handler="app.handle", publish=True,
        code=pulumi.AssetArchive({"app.py": pulumi.StringAsset("def handle(event, context): return ANSWER")}),
    )
    alias = aws.lambda_.Alias(
        "live", name="live", function_name=function.name, function_version=function.version
    )
    pulumi.export("function", alias.arn)
"""

API = """
    def answer(text):
        fixed = {"statusCode": "200", "responseTemplates": {"application/json": text}}
        integration = {
            "type": "mock", "requestTemplates": {"application/json": '{"statusCode": 200}'},
            "responses": {"default": fixed},
        }
        return {"responses": {"200": {"description": ""}}, "x-amazon-apigateway-integration": integration}

    body = json.dumps({
        "openapi": "3.0.3", "info": {"title": "things", "version": "1"},
        "paths": {path: {"get": answer(text)} for path, text in PATHS.items()},
    })
    api = aws.apigateway.RestApi("api", name="things", body=body, put_rest_api_mode="overwrite")
    deployment = aws.apigateway.Deployment("deployment", rest_api=api.id, triggers={"body": api.body})
    stage = aws.apigateway.Stage("stage", rest_api=api.id, deployment=deployment.id, stage_name="test")
    pulumi.export("url", stage.invoke_url)
"""


def write(root: Path, *parts: str, config: dict[str, Any] | None = None) -> Path:
    """Write the Pulumi project `demo` into `root`, and return `root`. The program consists of HEAD and `parts`."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "Pulumi.yaml").write_text("name: demo\nruntime: python\n", encoding="utf-8")
    values = {"aws:region": "eu-west-1", **(config or {})}
    (root / "Pulumi.local.yaml").write_text(json.dumps({"config": values}), encoding="utf-8")
    text = "\n".join(textwrap.dedent(part) for part in (HEAD, *parts))
    (root / "__main__.py").write_text(text, encoding="utf-8")
    return root
