"""AWS Amplify's own parser accepts amplify_outputs.json of a local stack and of a stack on AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from operations import frontend
from tests.browser import node
from tests.contracts.test_frontend_outputs import FRONTEND

_PARSE = """
const { parseAmplifyConfig } = require("aws-amplify/utils");
console.log(JSON.stringify(parseAmplifyConfig(JSON.parse(process.argv[1]))));
"""


@pytest.mark.parametrize("page", ["localhost:14566", "orders-dev.auth.ap-northeast-1.amazoncognito.com"])
def test_amplify_parser_accepts_the_generated_configuration(page: str) -> None:
    outputs = frontend.files(FRONTEND, page)["amplify_outputs.json"]
    parsed: dict[str, Any] = json.loads(node.run("-e", _PARSE, outputs))
    auth = FRONTEND["auth"]
    assert parsed["Auth"]["Cognito"] == {
        "userPoolId": auth["userPoolId"],
        "userPoolClientId": auth["userPoolClientId"],
        "loginWith": {
            "oauth": {
                "domain": page,
                "redirectSignIn": auth["redirectUris"],
                "redirectSignOut": auth["logoutUris"],
                "responseType": "code",
                "scopes": auth["scopes"],
                "providers": [],
            },
            "email": True,
            "phone": False,
            "username": False,
        },
        "userAttributes": {"email": {"required": True}},
    }
