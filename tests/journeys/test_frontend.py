"""Tests that a web page can call both APIs with only the output `frontend`, and that CORS blocks unlisted origins."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from components.aws import openapi
from tests.contracts.answers import breaches
from tests.journeys.checked_client import HTTP, REST, CheckedClient
from tests.journeys.people import Person
from tests.journeys.stack import Stack

FOREIGN = "https://evil.example.com"
OPERATIONS = [
    (document, operation.method, operation.path.format(user_id="one", order_id="one", product_id="one"))
    for document in (REST, HTTP)
    for operation in openapi.operations(openapi.load(document))
]


def test_frontend_output_matches_its_schema(stack: Stack) -> None:
    schema = json.loads((openapi.CONTRACTS / "frontend-outputs.schema.json").read_text(encoding="utf-8"))
    assert breaches(schema, stack.frontend) == []


def test_frontend_output_contains_only_public_values(stack: Stack) -> None:
    text = json.dumps(stack.frontend)
    assert "arn:" not in text
    for name in (*stack.ops["tables"].values(), stack.ops["analyticsBucket"]):
        assert name not in text


def test_frontend_output_is_enough_to_verify_tokens(stack: Stack, client: CheckedClient, customer: Person) -> None:
    auth = stack.frontend["auth"]
    head, claims, _ = (part + "=" * (-len(part) % 4) for part in customer.id_token.split("."))
    keys = client.send("GET", auth["jwksUrl"]).json()["keys"]
    assert json.loads(base64.urlsafe_b64decode(head))["kid"] in [key["kid"] for key in keys]
    told = json.loads(base64.urlsafe_b64decode(claims))
    assert (told["iss"], told["aud"]) == (auth["issuer"], auth["userPoolClientId"])


def test_discovery_document_names_the_issuer_of_the_tokens(stack: Stack, client: CheckedClient) -> None:
    auth = stack.frontend["auth"]
    found = client.send("GET", auth["discoveryUrl"]).json()
    assert (found["issuer"], found["jwks_uri"]) == (auth["issuer"], auth["jwksUrl"])
    assert found["authorization_endpoint"] == f"{auth['hostedUiUrl']}/oauth2/authorize"
    assert found["end_session_endpoint"] == auth["logoutUrl"]


def test_logout_url_redirects_to_every_allowed_logout_uri(stack: Stack, client: CheckedClient) -> None:
    auth = stack.frontend["auth"]
    for uri in auth["logoutUris"]:
        query = urlencode({"client_id": auth["userPoolClientId"], "logout_uri": uri})
        answer = client.send("GET", f"{auth['logoutUrl']}?{query}")
        assert (answer.status, answer.headers["location"]) == (302, uri)


@pytest.mark.parametrize(("document", "method", "path"), OPERATIONS)
def test_allowed_origin_may_call_every_operation(client: CheckedClient, document: str, method: str, path: str) -> None:
    answer = _preflight(client, document, method, path, client.origin)
    allowed = answer.headers
    assert answer.status in (200, 204)
    assert allowed["access-control-allow-origin"] == client.origin
    assert method in _listed(allowed["access-control-allow-methods"])
    assert {"authorization", "content-type"} <= {
        name.lower() for name in _listed(allowed["access-control-allow-headers"])
    }


@pytest.mark.parametrize("path", ["/orders", "/process"])
def test_allowed_origin_may_send_idempotency_keys_and_read_location_headers(
    client: CheckedClient, customer: Person, path: str
) -> None:
    allowed = _preflight(client, REST, "POST", path, client.origin).headers["access-control-allow-headers"]
    assert "idempotency-key" in [name.lower() for name in _listed(allowed)]
    answer = customer.rest("POST", "/orders", {"items": [{"product_id": "apple", "quantity": 1}]})
    assert "location" in [name.lower() for name in _listed(answer.headers["access-control-expose-headers"])]


@pytest.mark.parametrize(("document", "method", "path"), OPERATIONS)
def test_unlisted_origin_may_call_no_operation(client: CheckedClient, document: str, method: str, path: str) -> None:
    allowed = _preflight(client, document, method, path, FOREIGN).headers.get("access-control-allow-origin")
    assert allowed not in (FOREIGN, "*")


def test_unlisted_origin_cannot_read_responses(stack: Stack, customer: Person) -> None:
    origin = {"Origin": FOREIGN}
    plain, frontend = customer.client, stack.frontend
    for url, token in (
        (f"{frontend['restApi']['url']}/orders", customer.id_token),
        (f"{frontend['httpApi']['url']}/products", customer.access_token),
        (f"{frontend['restApi']['url']}/orders", "none"),
    ):
        answer = plain.send("GET", url, headers={**origin, "Authorization": f"Bearer {token}"})
        assert answer.headers.get("access-control-allow-origin") not in (FOREIGN, "*")


def _preflight(client: CheckedClient, document: str, method: str, path: str, origin: str) -> Any:
    """Send the CORS preflight request, without a token, that a browser sends before a cross-origin request."""
    api = client.frontend["restApi" if document == REST else "httpApi"]["url"]
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    return client.send("OPTIONS", api + path, headers=asked)


def _listed(value: str) -> list[str]:
    return [each.strip() for each in value.split(",")]
