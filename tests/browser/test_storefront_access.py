"""The example shop in Chromium: narrow screens, keyboards, assistive technology, and the size of its pages."""

from __future__ import annotations

import json
from typing import Any, Final, Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from operations import storefront
from tests.browser.storefront import Storefront
from tests.journeys.people import People, Person

AXE: Final = storefront.SHOP / "node_modules" / "axe-core" / "axe.min.js"
NARROW: Final = {"width": 320, "height": 640}
_TABS: Final = 80


@pytest.fixture
def administrator(people: People) -> Person:
    """An administrator, who can open all pages of the shop."""
    return people.somebody("admin").introduce()


def violations(page: Page) -> list[str]:
    """Return each accessibility rule that `page` violates, with the elements that violate the rule."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = page.evaluate("axe.run().then(results => results.violations)")
    return [f"{page.url}: {each['id']}: {json.dumps([node['target'] for node in each['nodes']])}" for each in found]


def pages_of(shop: Storefront, person: Person) -> list[str]:
    """Sign in as `person`, fill the basket and place an order, so that every page has content.

    Return the paths of all pages.
    """
    product = person.put(5)
    order = person.process({product: 1}).json()
    shop.sign_in(person)
    shop.add(product)
    return ["/", "/basket", "/checkout", "/orders", f"/orders/{order['order_id']}", "/profile", "/stock", "/nowhere"]


def loaded(shop: Storefront, path: str) -> None:
    """Open the page at `path`, and wait until its data is visible."""
    shop.open(path)
    expect(shop.page.locator(".loading")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible(shop: Storefront, administrator: Person, scheme: Literal["light", "dark"]) -> None:
    shop.page.emulate_media(color_scheme=scheme)
    shop.open()
    found = violations(shop.page)
    for path in pages_of(shop, administrator):
        loaded(shop, path)
        found += violations(shop.page)
    loaded(shop, "/orders/00000000-0000-4000-8000-000000000000")
    found += violations(shop.page)
    assert found == []


def test_pages_fit_a_narrow_screen(shop: Storefront, administrator: Person) -> None:
    shop.page.set_viewport_size({"width": NARROW["width"], "height": NARROW["height"]})
    wide: list[str] = []
    for path in pages_of(shop, administrator):
        loaded(shop, path)
        if shop.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append(path)
    assert wide == []


def press_until(page: Page, target: Locator) -> None:
    """Press the Tab key on `page` until `target` has the focus, and check that the focus is visible."""
    for _ in range(_TABS):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            assert page.evaluate("document.activeElement.matches(':focus-visible')")
            return
    raise AssertionError(f"{_TABS} presses of the Tab key did not reach {target}")


def test_customer_can_buy_with_the_keyboard_alone(shop: Storefront, people: People, admin: Person) -> None:
    product, person, page = admin.put(5), people.somebody(), shop.page
    shop.open()
    press_until(page, page.get_by_role("button", name="Sign in to shop"))
    page.keyboard.press("Enter")
    press_until(page, page.get_by_label("Username"))
    page.keyboard.type(person.email)
    press_until(page, page.get_by_label("Password"))
    page.keyboard.type(person.password)
    page.keyboard.press("Enter")
    card = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=product, exact=True))
    press_until(page, card.get_by_role("button"))
    page.keyboard.press("Enter")
    shop.page.reload()
    press_until(page, page.get_by_role("link", name="Basket 1 item"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Check out")).to_be_visible()
    press_until(page, page.get_by_role("button", name=f"One more {product}"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=f"One more {product}")).to_be_focused()
    press_until(page, page.get_by_role("link", name="Check out"))
    page.keyboard.press("Enter")
    expect(shop.order_button).to_be_visible()
    press_until(page, page.get_by_label("Pay when confirmed"))
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Pay now")).to_be_checked()
    press_until(page, shop.order_button)
    page.keyboard.press("Enter")
    expect(shop.heading("Your order is confirmed")).to_be_visible()
    assert person.read(shop.order_id())["items"][0]["quantity"] == 2


def test_heading_of_a_new_page_gets_the_focus(shop: Storefront, people: People) -> None:
    shop.sign_in(people.somebody())
    shop.follow("Orders")
    # Wait until the page shows its data. The heading must still have the focus at that time.
    expect(shop.heading("No orders yet")).to_be_visible()
    expect(shop.page.get_by_role("heading", name="Orders", level=1)).to_be_focused()
    assert shop.page.title() == "Orders · Hinoki"
