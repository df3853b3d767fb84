"""The example shop in Chromium: what customers see and can do when something fails."""

from __future__ import annotations

import base64
import json
import time
from typing import Any, Final

import pytest
from playwright.sync_api import Route, expect

from tests.browser.storefront import Storefront
from tests.journeys.people import People, Person
from tests.local.sign_in import claims

TOKENS: Final = ("id_token", "access_token")
ORDERS: Final = "**/api/rest/orders"
RENEWAL: Final = "**/oauth2/token"


@pytest.fixture
def person(people: People) -> Person:
    return people.somebody()


def expired(token: str) -> str:
    """Return an expired copy of `token`. Its signature is wrong, but the shop does not check signatures."""
    header, _, signature = token.split(".")
    payload = json.dumps({**claims(token), "exp": int(time.time()) - 60}).encode()
    return f"{header}.{base64.urlsafe_b64encode(payload).decode().rstrip('=')}.{signature}"


def with_wrong_signature(token: str) -> str:
    """Return a copy of `token` with a wrong signature."""
    return f"{token.rpartition('.')[0]}.{'A' * 342}"


def orders_of(person: Person) -> list[dict[str, Any]]:
    return person.rest("GET", "/orders").json()["orders"]


def test_product_with_too_little_stock_is_reported_at_payment(shop: Storefront, person: Person, admin: Person) -> None:
    product = admin.put(2)
    shop.sign_in(person)
    shop.add(product, times=2)
    shop.check_out()
    admin.process({product: 1})
    shop.page.get_by_label("Pay now").check()
    shop.order_button.click()
    alert = shop.page.get_by_role("alert")
    expect(alert).to_contain_text("We don't have enough of a product in stock.")
    expect(alert).to_contain_text(f"{product}: only 1 left")
    alert.get_by_role("link", name="Change the basket").click()
    expect(shop.page.get_by_text("Only 1 left. Please order fewer.")).to_be_visible()
    shop.page.get_by_role("button", name=f"One less {product}").click()
    expect(shop.page.get_by_role("link", name="Check out")).to_be_visible()


def test_rejected_order_shows_the_reason(shop: Storefront, person: Person, admin: Person) -> None:
    product = admin.put(1)
    shop.sign_in(person)
    shop.add(product)
    shop.check_out()
    admin.process({product: 1})
    shop.order_button.click()
    status = shop.page.get_by_role("status").filter(has_text="We could not accept this order")
    expect(status).to_contain_text("We don't have enough of a product in stock.")
    expect(status).to_contain_text(f"{product}: sold out")
    shop.page.get_by_role("button", name="Fill the basket again").click()
    expect(shop.page.get_by_text("Out of stock. Please remove it.")).to_be_visible()


def test_changed_price_is_shown_in_the_basket(shop: Storefront, person: Person, admin: Person) -> None:
    product = admin.put(5, unit_price=100)
    shop.sign_in(person)
    shop.add(product)
    admin.put(5, unit_price=120, product_id=product)
    shop.open_basket()
    expect(shop.page.get_by_text(f"The price of {product} changed from ¥100 to ¥120.")).to_be_visible()


def test_changed_price_is_shown_before_the_customer_pays_it(shop: Storefront, person: Person, admin: Person) -> None:
    product = admin.put(5, unit_price=100)
    shop.sign_in(person)
    shop.add(product)
    shop.check_out()
    admin.put(5, unit_price=120, product_id=product)
    shop.page.get_by_label("Pay now").check()
    shop.order_button.click()
    expect(shop.page.get_by_text("A price has changed.")).to_be_visible()
    expect(shop.page.get_by_text(f"The price of {product} changed from ¥100 to ¥120.")).to_be_visible()
    shop.order_button.click()
    expect(shop.heading("Your order is confirmed")).to_be_visible()
    assert person.read(shop.order_id())["total"] == 120


@pytest.mark.parametrize("spoil", [expired, with_wrong_signature])
def test_refused_tokens_are_renewed_without_a_new_sign_in(shop: Storefront, person: Person, spoil: Any) -> None:
    shop.sign_in(person)
    before = shop.stored_user()
    shop.change_stored_user({name: spoil(before[name]) for name in TOKENS})
    shop.open("/orders")
    expect(shop.heading("No orders yet")).to_be_visible()
    shop.follow("Products")
    expect(shop.page.get_by_role("button", name="Add to basket").first).to_be_visible()
    assert all(claims(shop.stored_user()[name])["exp"] > time.time() for name in TOKENS)


def test_sign_in_after_an_ended_session_returns_to_the_same_page(shop: Storefront, person: Person) -> None:
    shop.sign_in(person)
    shop.change_stored_user(
        {**{name: with_wrong_signature(shop.stored_user()[name]) for name in TOKENS}, "refresh_token": "wrong"}
    )
    shop.open("/orders?page=1")
    alert = shop.page.get_by_role("alert")
    expect(alert).to_contain_text("Your session has ended. Please sign in again.")
    alert.get_by_role("button", name="Sign in").click()
    shop.fill_in(person)
    expect(shop.heading("No orders yet")).to_be_visible()
    assert shop.page.url == f"{shop.url}/orders?page=1"


def test_tokens_are_renewed_in_the_background_before_they_expire(shop: Storefront, person: Person) -> None:
    shop.sign_in(person)
    before = shop.stored_user()
    # oidc-client-ts renews tokens 60 s before they expire. These tokens expire in 62 s, so their renewal starts in 2 s.
    shop.change_stored_user({"expires_at": int(time.time()) + 62})
    with shop.page.expect_response(RENEWAL) as renewal:
        shop.open("/orders")
    assert renewal.value.ok
    shop.page.wait_for_function("text => !Object.values(sessionStorage).join().includes(text)", arg=before["id_token"])
    expect(shop.heading("No orders yet")).to_be_visible()


def test_page_loads_again_after_the_connection_returns(shop: Storefront, person: Person) -> None:
    shop.sign_in(person)
    shop.page.context.set_offline(True)
    expect(shop.page.get_by_text("You are offline.")).to_be_visible()
    shop.follow("Orders")
    expect(shop.page.get_by_role("alert")).to_contain_text("We can't reach the shop.")
    shop.page.context.set_offline(False)
    expect(shop.page.get_by_text("You are offline.")).to_have_count(0)
    shop.page.get_by_role("button", name="Try again").click()
    expect(shop.heading("No orders yet")).to_be_visible()


def test_order_with_a_lost_response_is_placed_once(
    shop: Storefront, shop_port: int, person: Person, admin: Person
) -> None:
    product = admin.put(5)
    shop.sign_in(person)
    shop.add(product)
    shop.check_out()
    lost: list[int] = []

    def lose_the_first(route: Route) -> None:
        if lost or route.request.method != "POST":
            route.continue_()
            return
        # Playwright sends this request itself, without Chromium. Only Chromium maps port 5173 to the real port of the
        # shop, so the URL must contain the real port.
        lost.append(route.fetch(url=f"http://127.0.0.1:{shop_port}/api/rest/orders").status)
        route.abort("connectionreset")

    shop.page.route(ORDERS, lose_the_first)
    shop.order_button.click()
    expect(shop.heading("Your order is confirmed")).to_be_visible()
    assert lost == [202]
    assert [order["order_id"] for order in orders_of(person)] == [shop.order_id()]


def test_unknown_order_shows_an_error_message(shop: Storefront, person: Person) -> None:
    shop.sign_in(person, "/orders/00000000-0000-4000-8000-000000000000")
    expect(shop.page.get_by_role("alert")).to_contain_text("We can't find this order.")


def test_platform_error_shows_the_request_id(shop: Storefront, person: Person) -> None:
    shop.sign_in(person)
    body = json.dumps({"code": "InternalError", "message": "boom", "request_id": "request-1"})
    shop.page.route(f"{ORDERS}?*", lambda route: route.fulfill(status=500, body=body, content_type="application/json"))
    shop.follow("Orders")
    alert = shop.page.get_by_role("alert")
    expect(alert).to_contain_text("Something went wrong on our side.")
    expect(alert).to_contain_text("request-1")
    expect(alert).not_to_contain_text("boom")


def test_shop_without_its_configuration_reports_that_it_cannot_start(shop: Storefront) -> None:
    shop.page.route("**/config.json", lambda route: route.fulfill(status=404))
    shop.page.goto(shop.url)
    expect(shop.heading("The shop could not start")).to_be_visible()
    expect(shop.page.get_by_role("alert")).to_contain_text("404")
