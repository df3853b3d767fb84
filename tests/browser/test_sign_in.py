"""Tests of sign-in, orders, token refresh and sign-out in Chromium with the npm packages of two sign-in libraries."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import SITES
from tests.browser.shop import Shop
from tests.browser.sites import Sites
from tests.journeys.checked_client import CheckedClient
from tests.journeys.people import People, Person
from tests.journeys.stack import Stack
from tests.local.sign_in import claims

Open = Callable[[str, str], Shop]


@pytest.fixture
def shop(request: pytest.FixtureRequest, page: Page, sites: Sites, bundles: dict[str, dict[str, str]]) -> Open:
    """Return a function that opens a site with the test page of a sign-in library."""

    def made(library: str, site: str) -> Shop:
        # Only Amplify needs the emulator's HTTPS port, which the fixture `amplify_configuration` opens.
        configuration = "amplify_configuration" if library == "amplify" else "configuration"
        sites.serve(site, {**bundles[library], **request.getfixturevalue(configuration)})
        return Shop(page, site)

    return made


@pytest.fixture
def person(people: People) -> Person:
    return people.somebody()


def assert_refreshes(shop: Shop) -> None:
    before = shop.tokens()
    shop.refresh()
    after = shop.tokens()
    assert before
    assert after
    for token in ("id", "access"):
        assert after[token] != before[token]
        assert claims(after[token])["sub"] == claims(before[token])["sub"]


@pytest.mark.parametrize("site", SITES)
def test_customer_signs_in_and_orders_with_oidc_client_on_each_local_origin(
    shop: Open, person: Person, site: str
) -> None:
    opened = shop("oidc", site)
    opened.sign_in(person)
    assert "green-tea" in opened.products()
    assert opened.buy("green-tea")["status"] == "CONFIRMED"


def test_documented_client_code_places_orders_and_explains_errors(shop: Open, person: Person, admin: Person) -> None:
    sold_out = admin.put(0)
    opened = shop("oidc", SITES[0])
    opened.sign_in(person)
    buy = "product => window.session.buy(product)"
    assert re.fullmatch(r"Thank you\. Your total is ¥[\d,]+\.", opened.page.evaluate(buy, "green-tea"))
    assert opened.page.evaluate(buy, sold_out).startswith("We don't have enough")
    assert opened.page.evaluate(buy, "no-such-product").startswith("A product is no longer available")


def test_oidc_client_refreshes_tokens(shop: Open, person: Person) -> None:
    opened = shop("oidc", SITES[0])
    opened.sign_in(person)
    # oidc-client-ts rejects a refreshed token if `auth_time` has changed. `auth_time` is in whole seconds, so wait for
    # more than a second. Otherwise, a wrong `auth_time` could be the same as the right one.
    opened.page.wait_for_timeout(1100)
    assert_refreshes(opened)
    assert opened.products()


def test_oidc_client_signs_out_and_revokes_the_refresh_token(
    shop: Open, person: Person, client: CheckedClient, stack: Stack
) -> None:
    opened = shop("oidc", SITES[0])
    opened.sign_in(person)
    grant = {
        "grant_type": "refresh_token",
        "client_id": stack.frontend["auth"]["userPoolClientId"],
        "refresh_token": opened.page.evaluate("window.session.refreshToken()"),
    }
    opened.sign_out()
    assert opened.tokens() is None
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = client.send("POST", f"{stack.frontend['auth']['hostedUiUrl']}/oauth2/token", urlencode(grant), form)
    assert (answer.status, answer.json()["error"]) == (400, "invalid_grant")


def test_amplify_supports_sign_in_orders_token_refresh_and_sign_out(shop: Open, person: Person) -> None:
    opened = shop("amplify", SITES[1])
    opened.sign_in(person)
    assert "green-tea" in opened.products()
    assert opened.buy("green-tea")["status"] == "CONFIRMED"
    assert_refreshes(opened)
    opened.sign_out()
    assert opened.tokens() is None
