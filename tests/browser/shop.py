"""A customer who signs in on a test page and places orders. The script of the page calls the platform's APIs."""

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
    """A test page in a browser. The page uses one sign-in library (see the folder pages/)."""

    page: Page
    site: str
    """`HOST:PORT` in the address of the page."""

    def open(self) -> None:
        """Open the page, and wait until it shows that nobody is signed in."""
        self.page.goto(f"http://{self.site}/")
        self._wait_for("signed out")

    def sign_in(self, person: Person) -> None:
        """Open the page, and sign in as `person` on the stack's sign-in page."""
        self.open()
        self.page.evaluate("void window.session.signIn()")
        self.page.get_by_label("Username").fill(person.email)
        self.page.get_by_label("Password").fill(person.password)
        self.page.get_by_role("button", name="Sign in").click()
        self._wait_for("signed in")

    def sign_out(self) -> None:
        """Sign out, and wait until the browser shows the page again."""
        self.page.evaluate("void window.session.signOut()")
        self._wait_for("signed out")
        assert self.page.url == f"http://{self.site}/"

    def tokens(self) -> dict[str, str] | None:
        """Return the tokens of the session as {"id": ..., "access": ...}, or None if nobody is signed in."""
        return cast("dict[str, str] | None", self.page.evaluate("window.session.tokens()"))

    def refresh(self) -> None:
        """Let the sign-in library exchange its refresh token for new tokens."""
        self.page.evaluate("window.session.refresh().then(() => null)")

    def products(self) -> list[str]:
        """Return the ids of the products that the HTTP API lists."""
        answer = self.call("http", "/products")
        assert answer["status"] == 200, answer
        return [each["product_id"] for each in answer["body"]["products"]]

    def buy(self, product_id: str) -> dict[str, Any]:
        """Order one piece of the product `product_id` with `POST /process`, and return the order."""
        body = json.dumps({"items": [{"product_id": product_id, "quantity": 1}]})
        headers = {"Content-Type": "application/json"}
        answer = self.call("rest", "/process", {"method": "POST", "headers": headers, "body": body})
        assert answer["status"] == 200, answer
        return answer["body"]

    def call(self, api: str, path: str, options: dict[str, Any] | None = None) -> dict[str, Any]:
        """Call the API `api`, which is `rest` or `http`, from the page.

        Return the `status` and the JSON `body` of the response.
        """
        return self.page.evaluate(_CALL, [api, path, options or {}])

    def _wait_for(self, title: str) -> None:
        """Wait until the page has the title `title`, which the page's script sets when the page is ready."""
        expect(self.page).to_have_title(title, timeout=WITHIN_MS)
