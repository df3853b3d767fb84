"""The example shop in Chromium: what customers and administrators do."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.storefront import Storefront
from tests.journeys.people import People, Person
from tests.journeys.stack import Stack


@pytest.fixture
def person(people: People) -> Person:
    return people.somebody()


def test_customer_buys_and_sees_the_confirmation(shop: Storefront, person: Person, admin: Person, stack: Stack) -> None:
    product = admin.put(5, unit_price=1250, currency="EUR")
    shop.sign_in(person)
    shop.add(product, times=2)
    shop.check_out()
    expect(shop.page.get_by_text("€25.00").first).to_be_visible()
    shop.order_button.click()
    expect(shop.heading("Your order is confirmed")).to_be_visible()
    order = person.read(shop.order_id())
    assert (order["status"], order["total"], order["items"][0]["quantity"]) == ("CONFIRMED", 2500, 2)
    assert stack.stock(product) == 3
    shop.follow("Orders")
    shop.follow(product)
    expect(shop.heading("Your order is confirmed")).to_be_visible()


def test_customer_pays_now(shop: Storefront, person: Person, admin: Person) -> None:
    product = admin.put(5)
    shop.sign_in(person)
    shop.add(product)
    shop.check_out()
    shop.page.get_by_label("Pay now").check()
    with shop.page.expect_response("**/api/rest/process") as response:
        shop.order_button.click()
    assert response.value.status == 200
    expect(shop.heading("Your order is confirmed")).to_be_visible()


def test_double_click_places_one_order(shop: Storefront, person: Person, admin: Person) -> None:
    product = admin.put(5)
    shop.sign_in(person)
    shop.add(product)
    shop.check_out()
    shop.order_button.dblclick()
    expect(shop.heading("Your order is confirmed")).to_be_visible()
    assert len(person.rest("GET", "/orders").json()["orders"]) == 1


def test_customer_cancels_an_order(shop: Storefront, person: Person, admin: Person, stack: Stack) -> None:
    product = admin.put(5)
    order = person.process({product: 2}).json()
    shop.sign_in(person, f"/orders/{order['order_id']}")
    shop.page.get_by_role("button", name="Cancel order").click()
    shop.page.get_by_role("dialog").get_by_role("button", name="Keep order").click()
    assert person.read(order["order_id"])["status"] == "CONFIRMED"
    shop.page.get_by_role("button", name="Cancel order").click()
    shop.page.get_by_role("dialog").get_by_role("button", name="Cancel order").click()
    expect(shop.heading("This order is cancelled")).to_be_visible()
    assert stack.stock(product) == 5


def test_history_has_pages(shop: Storefront, person: Person, admin: Person) -> None:
    product = admin.put(100)
    for _ in range(11):
        person.order({product: 1})
    shop.sign_in(person, "/orders")
    rows = shop.page.locator(".order")
    expect(rows).to_have_count(10)
    shop.follow("Older")
    expect(rows).to_have_count(1)
    shop.page.reload()
    expect(rows).to_have_count(1)
    shop.follow("Newer")
    expect(rows).to_have_count(10)


def test_basket_survives_a_reload_and_a_sign_out(shop: Storefront, person: Person, admin: Person) -> None:
    product = admin.put(5)
    shop.sign_in(person)
    shop.add(product, times=2)
    shop.page.reload()
    expect(shop.page.get_by_role("link", name="Basket 2 items")).to_be_visible()
    shop.sign_out()
    shop.sign_in(person)
    expect(shop.page.get_by_role("link", name="Basket 2 items")).to_be_visible()


def test_sign_out_removes_the_tokens(shop: Storefront, person: Person) -> None:
    shop.sign_in(person)
    shop.sign_out()
    assert shop.page.evaluate("Object.keys(sessionStorage).filter(name => name.startsWith('oidc.user'))") == []


def test_customer_creates_a_profile(shop: Storefront, person: Person) -> None:
    shop.sign_in(person, "/profile")
    shop.page.get_by_role("button", name="Create profile").click()
    expect(shop.page.get_by_text("Please fill this in.")).to_be_visible()
    shop.page.get_by_label("Name").fill("Ada Lovelace")
    shop.page.get_by_role("button", name="Create profile").click()
    expect(shop.page.get_by_text("Customer since")).to_be_visible()
    profile = person.rest("GET", f"/users/{person.sub}").json()
    assert (profile["name"], profile["email"]) == ("Ada Lovelace", person.email)


def test_administrator_changes_price_and_stock(shop: Storefront, people: People, admin: Person, stack: Stack) -> None:
    product = admin.put(5, unit_price=100, currency="EUR")
    shop.sign_in(people.somebody("admin"), "/stock")
    row = shop.page.get_by_role("form", name=product)
    row.get_by_label("Price").fill("2.345")
    row.get_by_role("button").click()
    expect(row.get_by_text("Please enter an amount with up to 2 decimals.")).to_be_visible()
    row.get_by_label("Price").fill("2.34")
    row.get_by_label("In stock").fill("7")
    row.get_by_role("button").click()
    expect(shop.page.get_by_text(f"{product} is saved.")).to_be_visible()
    assert admin.http("GET", f"/products/{product}").json()["unit_price"] == 234
    assert stack.stock(product) == 7


def test_administrator_does_not_overwrite_stock_that_customers_changed(
    shop: Storefront, people: People, admin: Person, stack: Stack
) -> None:
    product = admin.put(5)
    shop.sign_in(people.somebody("admin"), "/stock")
    row = shop.page.get_by_role("form", name=product)
    row.get_by_label("In stock").fill("9")
    admin.process({product: 1})
    row.get_by_role("button").click()
    expect(row.get_by_text("Customers changed the stock to 4 meanwhile.")).to_be_visible()
    assert stack.stock(product) == 4


def test_customer_cannot_open_the_stock_page(shop: Storefront, person: Person) -> None:
    shop.sign_in(person, "/stock")
    expect(shop.heading("There is nothing here")).to_be_visible()
    expect(shop.page.get_by_role("link", name="Stock")).to_have_count(0)
