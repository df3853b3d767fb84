import pytest

from tests.local.cloud import Cloud
from tests.local.sign_in import SignInPage


@pytest.fixture
def page(cloud: Cloud) -> SignInPage:
    return SignInPage.make(cloud)


def test_refresh_with_a_revoked_token_is_refused(page: SignInPage) -> None:
    tokens = page.tokens()
    assert page.refresh(tokens["refresh_token"]).status == 200
    answer = page.post("/oauth2/revoke", token=tokens["refresh_token"], client_id=page.client_id)
    assert (answer.status, answer.text) == (200, "")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert page.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_discovery_document_lists_the_revocation_endpoint(page: SignInPage) -> None:
    assert page.discovery()["revocation_endpoint"] == f"{page.cloud.instance.url}/oauth2/revoke"


def test_invalid_revocation_request_gets_the_same_error_as_from_cognito(page: SignInPage) -> None:
    tokens = page.tokens()
    for form, status, error in (
        ({"client_id": page.client_id}, 400, "invalid_request"),
        ({"client_id": page.client_id, "token": tokens["access_token"]}, 400, "unsupported_token_type"),
        ({"client_id": "unknown", "token": tokens["refresh_token"]}, 401, "invalid_client"),
    ):
        answer = page.post("/oauth2/revoke", **form)
        assert (answer.status, answer.json()["error"]) == (status, error)
    assert page.refresh(tokens["refresh_token"]).status == 200
