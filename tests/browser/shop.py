"""A customer who signs in with a test page and shops. The page's own script calls the platform's APIs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, cast

from playwright.sync_api import Page, expect

from tests.browser.chromium import WITHIN_MS
from tests.journeys.people import Person

_CALL: Final = """
async ([api, path, options]) => {
  const answer = await window.session[api](path, options);
  return {status: answer.status, body: await answer.json()};
}
"""


@dataclass
class Shop:
    """A test page of one sign-in library in a browser (see pages/)."""

    page: Page
    site: str
    """`HOST:PORT` of the page in the browser's address."""

    def open(self) -> None:
        """Open the site, at which nobody is signed in yet."""
        self.page.goto(f"http://{self.site}/")
        self._wait_for("signed out")

    def sign_in(self, person: Person) -> None:
        """Open the site, and sign in as `person` on the stack's sign-in page."""
        self.open()
        self.page.evaluate("void window.session.signIn()")
        self.page.get_by_label("Username").fill(person.email)
        self.page.get_by_label("Password").fill(person.password)
        self.page.get_by_role("button", name="Sign in").click()
        self._wait_for("signed in")

    def sign_out(self) -> None:
        """Sign out, and wait until the site opens again."""
        self.page.evaluate("void window.session.signOut()")
        self._wait_for("signed out")
        assert self.page.url == f"http://{self.site}/"

    def tokens(self) -> dict[str, str] | None:
        """Return the tokens `id` and `access` of the session, or None if nobody is signed in."""
        return cast("dict[str, str] | None", self.page.evaluate("window.session.tokens()"))

    def refresh(self) -> None:
        """Let the library exchange its refresh token for new tokens."""
        self.page.evaluate("window.session.refresh().then(() => null)")

    def products(self) -> list[str]:
        """Return the ids of the products, from the HTTP API."""
        answer = self.call("http", "/products")
        assert answer["status"] == 200, answer
        return [each["product_id"] for each in answer["body"]["products"]]

    def buy(self, product_id: str) -> dict[str, Any]:
        """Order one piece of a product with the REST API, and return the decided order."""
        body = json.dumps({"items": [{"product_id": product_id, "quantity": 1}]})
        headers = {"Content-Type": "application/json"}
        answer = self.call("rest", "/process", {"method": "POST", "headers": headers, "body": body})
        assert answer["status"] == 200, answer
        return answer["body"]

    def call(self, api: str, path: str, options: dict[str, Any] | None = None) -> dict[str, Any]:
        """Call an API, `rest` or `http`, from the page. Return the `status` and the JSON `body` of the response."""
        return self.page.evaluate(_CALL, [api, path, options or {}])

    def _wait_for(self, title: str) -> None:
        """Wait until the script of a page of the site has started and set the page's title."""
        expect(self.page).to_have_title(title, timeout=WITHIN_MS)
