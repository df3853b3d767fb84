from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.local.cloud import Cloud
from tests.local.sign_in import LOGOUT, SignInPage


@pytest.fixture
def page(cloud: Cloud) -> SignInPage:
    return SignInPage.make(cloud)


def test_login_opens_the_sign_in_page(page: SignInPage) -> None:
    answer = page.get("/login", **page.request)
    assert answer.status == 200
    assert answer.text == page.get("/oauth2/authorize", **page.request).text


def test_login_refuses_an_unknown_redirect_uri(page: SignInPage) -> None:
    assert page.get("/login", **{**page.request, "redirect_uri": "https://evil.example.com"}).status == 400


def test_logout_redirects_to_the_logout_uri(page: SignInPage) -> None:
    answer = page.get("/logout", client_id=page.client_id, logout_uri=LOGOUT)
    assert (answer.status, answer.headers["location"]) == (302, LOGOUT)


def test_logout_with_a_redirect_uri_redirects_to_the_sign_in_page(page: SignInPage) -> None:
    answer = page.get("/logout", **page.request)
    target = urlsplit(answer.headers["location"])
    assert (answer.status, target.path) == (302, "/login")
    assert dict(parse_qsl(target.query)) == page.request
