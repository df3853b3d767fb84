"""The example shop in a browser, as a customer uses it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from playwright.sync_api import Locator, Page, expect

from operations import storefront
from tests.browser.chromium import WITHIN_MS
from tests.journeys.people import Person

_STORED: Final = "Object.entries(sessionStorage).find(([name]) => name.startsWith('oidc.user:'))"
expect.set_options(timeout=WITHIN_MS)


def built(folder: Path) -> Path:
    """Write the production build of the shop to `folder`, and return `folder`."""
    command = [str(storefront.NODE), storefront.VITE, "build", "--outDir", str(folder), "--emptyOutDir"]
    assert (storefront.SHOP / storefront.VITE).exists(), "run `make examples/storefront/node_modules/installed`"
    done = subprocess.run(command, cwd=storefront.SHOP, capture_output=True, text=True, check=False)  # noqa: S603 - the command runs a program of this repository's packages
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@contextmanager
def watched(page: Page) -> Generator[Page]:
    """At the end of the block, fail if a script of `page` failed or if `page` violated its Content Security Policy."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None)
    yield page
    assert faults == []


@dataclass
class Storefront:
    """A browser page in which the example shop is open."""

    page: Page
    url: str

    def open(self, path: str = "/") -> None:
        """Load the page at `path`, and wait until its heading is visible."""
        self.page.goto(self.url + path)
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()

    def sign_in(self, person: Person, path: str = "/") -> None:
        """Open the page at `path`, and sign in as `person`. After the sign-in, the browser returns to `path`."""
        self.open(path)
        self.page.get_by_role("button", name="Sign in to shop").click()
        self.fill_in(person)
        expect(self.page.get_by_text(f"Signed in as {person.email}")).to_be_visible()

    def sign_out(self) -> None:
        """Sign out, and wait until the browser has returned from the sign-in page to the shop."""
        with self.page.expect_navigation(url=f"{self.url}/"):
            self.page.get_by_role("button", name="Sign out").click()
        expect(self.page.get_by_role("button", name="Sign in to shop")).to_be_visible()

    def fill_in(self, person: Person) -> None:
        """Fill in the sign-in page with the data of `person`, and submit it."""
        self.page.get_by_label("Username").fill(person.email)
        self.page.get_by_label("Password").fill(person.password)
        self.page.get_by_role("button", name="Sign in").click()

    def follow(self, name: str) -> None:
        """Click the link `name`. The shop shows another page without a reload."""
        self.page.get_by_role("link", name=name, exact=True).click()

    def add(self, product: str, times: int = 1) -> None:
        """Add `product` to the basket with `times` clicks. The page with the products must be open."""
        card = self.page.get_by_role("listitem").filter(has=self.page.get_by_role("heading", name=product, exact=True))
        for number in range(1, times + 1):
            card.get_by_role("button", name="Add to basket").click()
            expect(card.get_by_text(f"{number} in basket")).to_be_visible()

    def open_basket(self) -> None:
        """Go to the basket."""
        self.page.get_by_role("link", name=re.compile("^Basket ")).click()

    def check_out(self) -> None:
        """Go from the page with the products to the checkout."""
        self.open_basket()
        self.follow("Check out")
        expect(self.order_button).to_be_visible()

    @property
    def order_button(self) -> Locator:
        """The button that places the order."""
        return self.page.get_by_role("button", name="Place order")

    def heading(self, text: str) -> Locator:
        """Return the heading with the text `text`."""
        return self.page.get_by_role("heading", name=text)

    def order_id(self) -> str:
        """Wait until the page of an order is open, and return the id of the order."""
        self.page.wait_for_url(re.compile(r"/orders/[0-9a-f-]{36}$"))
        return self.page.url.rpartition("/")[2]

    def stored_user(self) -> dict[str, Any]:
        """Return the data that oidc-client-ts has stored about the signed-in user: the tokens and their expiry."""
        return json.loads(cast("str", self.page.evaluate(f"{_STORED}[1]")))

    def change_stored_user(self, changes: Mapping[str, Any]) -> None:
        """Apply `changes` to the data that oidc-client-ts has stored.

        The shop reads the changes when it is loaded again.
        """
        text = json.dumps({**self.stored_user(), **changes})
        self.page.evaluate(f"text => sessionStorage.setItem({_STORED}[0], text)", text)
