"""Tests of the JSON Schema of the stack output `frontend`."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from jsonschema import Draft7Validator

from components.aws.openapi import CONTRACTS

SCHEMA: Any = json.loads((CONTRACTS / "frontend-outputs.schema.json").read_text())
VALIDATOR: Any = Draft7Validator(SCHEMA)
FRONTEND: dict[str, Any] = {
    "contractVersion": "1",
    "stage": "dev",
    "region": "ap-northeast-1",
    "corsOrigins": ["https://shop.example.com", "http://localhost:3000"],
    "restApi": {"url": "https://a1.execute-api.ap-northeast-1.amazonaws.com/prod", "tokenUse": "id"},
    "httpApi": {
        "url": "https://b2.execute-api.ap-northeast-1.amazonaws.com",
        "tokenUse": "access",
        "scopes": ["email"],
    },
    "auth": {
        "userPoolId": "ap-northeast-1_Abc123",
        "userPoolClientId": "1h57kf5cpq17m0eml12EXAMPLE",
        "issuer": "https://cognito-idp.ap-northeast-1.amazonaws.com/ap-northeast-1_Abc123",
        "jwksUrl": "https://cognito-idp.ap-northeast-1.amazonaws.com/ap-northeast-1_Abc123/.well-known/jwks.json",
        "discoveryUrl": (
            "https://cognito-idp.ap-northeast-1.amazonaws.com/ap-northeast-1_Abc123/.well-known/openid-configuration"
        ),
        "hostedUiUrl": "https://orders-dev.auth.ap-northeast-1.amazoncognito.com",
        "logoutUrl": "https://orders-dev.auth.ap-northeast-1.amazoncognito.com/logout",
        "scopes": ["openid", "email"],
        "redirectUris": ["https://shop.example.com/callback"],
        "logoutUris": ["https://shop.example.com/"],
    },
}


def test_json_schema_of_the_frontend_output_is_valid() -> None:
    Draft7Validator.check_schema(SCHEMA)


def test_frontend_output_with_all_fields_is_valid() -> None:
    assert VALIDATOR.is_valid(FRONTEND)


def test_frontend_output_with_emulator_urls_is_valid() -> None:
    local = copy.deepcopy(FRONTEND)
    local["restApi"]["url"] = "http://127.0.0.1:4566/restapis/a1/local/_user_request_"
    assert VALIDATOR.is_valid(local)


@pytest.mark.parametrize("path", ["stage", "corsOrigins", "restApi", "restApi.url", "httpApi.scopes", "auth.logoutUrl"])
def test_frontend_output_without_a_required_field_is_invalid(path: str) -> None:
    broken = copy.deepcopy(FRONTEND)
    *parents, last = path.split(".")
    for parent in parents:
        broken = broken[parent]
    whole = broken if not parents else None
    del broken[last]
    assert not VALIDATOR.is_valid(whole or {**FRONTEND, parents[0]: broken})


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("restApi", {"url": "https://a1.example.com/prod/"}),
        ("restApi", {"tokenUse": "access"}),
        ("restApi", {"functionArn": "arn:aws:lambda:::x"}),
        ("httpApi", {"scopes": []}),
        ("httpApi", {"url": "arn:aws:apigateway:::x"}),
        ("auth", {"clientSecret": "x"}),
        ("auth", {"redirectUris": []}),
        ("auth", {"logoutUris": []}),
    ],
)
def test_frontend_output_with_a_forbidden_value_is_invalid(part: str, change: dict[str, Any]) -> None:
    broken = {**FRONTEND, part: {**FRONTEND[part], **change}}
    assert not VALIDATOR.is_valid(broken)
