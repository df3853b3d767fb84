"""Sends valid and invalid requests to both APIs, with a canary in every input.

A canary is a unique word that stands for one kind of data, so that the attack can recognize this data in logs and
tables.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote

from local.client import Answer, Client, Tokens, client_of
from tests.journeys.patience import Watcher
from tests.journeys.stack import Stack
from tests.proof.canaries.canaries import Canaries

_FORGERIES: Final = (
    '\n{{"level": "INFO", "message": "{}"}}\n',
    "\r\nSTART RequestId: {}",
    "\x1b[31m{}\x1b[0m",
    "%s{{}}{}",
)
_TOKEN_PART: Final = 40
"""Number of characters of a token's signature that are enough to recognize the token."""


@dataclass
class Account:
    """A user whose email address, password and profile name are canaries."""

    drive: Drive
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        words, stack = self.drive.words, self.drive.stack
        self.email = f"{words.new('mail address')}@example.com"
        self.password = f"{words.new('password')}-A1!"
        self.name = words.new("name")
        named = {"UserPoolId": stack.frontend["auth"]["userPoolId"], "Username": self.email}
        attributes = [{"Name": "email", "Value": self.email}, {"Name": "email_verified", "Value": "true"}]
        made = stack.aws(
            "cognito-idp", "admin_create_user", **named, MessageAction="SUPPRESS", UserAttributes=attributes
        )
        stack.aws("cognito-idp", "admin_set_user_password", **named, Password=self.password, Permanent=True)
        for group in self.groups:
            stack.aws("cognito-idp", "admin_add_user_to_group", **named, GroupName=group)
        found = {each["Name"]: each["Value"] for each in made["User"]["Attributes"]}
        self.sub = words.known(found["sub"], "user id")

    @cached_property
    def tokens(self) -> Tokens:
        """Tokens from a sign-in with the authorization code flow."""
        tokens = self.drive.client.sign_in_by_code(self.email, self.password)
        for token in (tokens.id_token, tokens.access_token):
            self.drive.words.known(token.rpartition(".")[2][:_TOKEN_PART], "token")
        return tokens

    def rest(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Call the REST API with the user's ID token. `headers` are additional headers."""
        return self.drive.call("restApi", method, path, body, {"Authorization": self.tokens.id_token, **headers})

    def http(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Call the HTTP API with the user's access token. `headers` are additional headers."""
        return self.drive.call("httpApi", method, path, body, {"Authorization": self.tokens.access_token, **headers})

    def introduce(self) -> Account:
        """Create the user's profile."""
        assert self.rest("POST", "/users", {"name": self.name, "email": self.email}).status == 201
        return self

    def order(self, product: str, quantity: int = 2, path: str = "/orders") -> dict[str, Any]:
        """Place an order with an idempotency key. Return JSON data that contains the order id.

        The data is the response's body. If the body lacks the order id, the data is the user's newest order instead.
        """
        key = {"Idempotency_Key": self.drive.words.new("idempotency key")}
        answer = self.rest("POST", path, lines(product, quantity), **key)
        found = answer.json()
        if "order_id" not in found:
            # An error response of POST /process can lack the order id although the order exists. In this case, read the
            # order from the list, where the newest order comes first.
            found = self.rest("GET", "/orders?limit=1").json()["orders"][0]
        self.drive.words.known(found["order_id"], "order id")
        return found


@dataclass
class Drive:
    """Sends the requests of one run of the attack, and collects the data that the search needs later."""

    stack: Stack
    watcher: Watcher
    words: Canaries
    refusals: list[str] = field(default_factory=list[str])
    """Body and headers of each response with status 400 or above."""
    forged: list[str] = field(default_factory=list[str])
    """Canaries that were sent inside text that looks like a complete log line."""

    @cached_property
    def client(self) -> Client:
        """A client that calls the APIs as a frontend does."""
        return client_of(self.stack.outputs)

    @cached_property
    def customer(self) -> Account:
        """A customer with a profile."""
        return Account(self).introduce()

    @cached_property
    def admin(self) -> Account:
        """A member of the group `admin`, whose members are allowed to write the catalog."""
        return Account(self, ("admin",))

    def call(self, api: str, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Answer:
        """Send a request with `headers` and with unused headers that contain canaries, and return the response."""
        text = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
        kind = {"Content-Type": "application/json"} if text is not None else {}
        sent = {**kind, **self.noise(), **{name.replace("_", "-"): value for name, value in headers.items()}}
        answer = self.client.send(method, self.stack.frontend[api]["url"] + path, text, sent)
        if answer.status >= 400:
            self.refusals.append(answer.text + json.dumps(dict(answer.headers)))
        return answer

    def noise(self) -> dict[str, str]:
        """Return headers that browsers, proxies or attackers send but that the APIs don't use, each with a canary."""
        word = self.words.new
        return {
            "Cookie": f"session={word('other headers')}",
            "Referer": f"https://example.com/{word('other headers')}?q={word('other headers')}",
            "User-Agent": word("user agent"),
            "X-Forwarded-For": word("other headers"),
            "X-Api-Key": word("other headers"),
            "X-Canary": word("other headers"),
            "From": word("other headers"),
            "Via": word("other headers"),
        }

    def product(self, quantity: int = 100) -> str:
        """Create a product whose id and name are canaries, and return its id."""
        product_id = self.words.new("product id")
        content = {"name": self.words.new("product name"), "unit_price": 250, "currency": "JPY", "quantity": quantity}
        assert self.admin.http("PUT", f"/products/{product_id}", content).status == 201
        return product_id

    def taken(self) -> None:
        """Send one valid request for every operation."""
        customer, admin, product = self.customer, self.admin, self.product()
        query = f"?limit=5&{self.words.new('query')}={self.words.new('query')}"
        order = customer.order(product)
        customer.order(product, path="/process")
        assert self.decided(customer, order["order_id"]) == "CONFIRMED"
        assert customer.rest("GET", f"/users/{customer.sub}{query}").status == 200
        assert admin.rest("GET", f"/users/{customer.sub}").status == 200
        assert customer.rest("GET", f"/orders{query}").status == 200
        assert customer.rest("GET", f"/orders/{order['order_id']}{query}").status == 200
        assert customer.http("GET", f"/products{query}").status == 200
        assert customer.http("GET", f"/products/{product}{query}").status == 200
        assert customer.rest("POST", f"/orders/{order['order_id']}/cancel").status == 200
        assert customer.rest("POST", f"/orders/{order['order_id']}/cancel").status == 409

    def decided(self, who: Account, order_id: str) -> str:
        """Wait until the order is no longer PENDING, and return its status."""

        def look() -> str:
            status = str(who.rest("GET", f"/orders/{order_id}").json()["status"])
            return status if status != "PENDING" else ""

        return self.watcher.until(look, "the order is no longer PENDING", order_id)

    def refused(self) -> None:
        """Send requests that together cause every error status below 500 of every operation."""
        customer, admin, word = self.customer, self.admin, self.words.new
        product = self.product(quantity=1)
        self._not_signed_in(product)
        self._not_understood(customer)
        for path in ("/orders", "/process"):
            key = word("idempotency key")
            # This quantity is higher than the stock, so the order is rejected.
            customer.rest("POST", path, lines(product, 1000), Idempotency_Key=key)
            customer.rest("POST", path, lines(product, 999), Idempotency_Key=key)
            customer.rest("POST", path, lines(word("product id"), 1))  # This product is not in the catalog.
            customer.rest("POST", path, {"items": lines(product, 1)["items"] * 2})
            customer.rest("POST", path, lines(product, 1), Idempotency_Key=word("idempotency key") * 30)
            customer.rest("POST", path, lines(product, 1), Idempotency_Key="")
        customer.rest(
            "POST", "/users", {"name": word("refused input"), "email": f"{word('refused input')}@example.com"}
        )
        customer.http("PUT", f"/products/{word('refused input')}", {"name": word("refused input")})
        content = {"name": word("refused input"), "unit_price": 1, "currency": "JPY", "quantity": -1}
        admin.http("PUT", f"/products/{word('refused input')}", content)
        admin.http("PUT", f"/products/-{word('refused input')}", {**content, "quantity": 1})
        for each in self.customer.rest("GET", "/orders?limit=100").json()["orders"]:
            self.words.known(each["order_id"], "order id")

    def _not_signed_in(self, product: str) -> None:
        """Send requests with an invalid token to both APIs. Each request must get 401."""
        for api, method, path in (
            ("restApi", "POST", "/users"),
            ("restApi", "GET", f"/orders/{self.words.new('refused input')}"),
            ("restApi", "POST", "/process"),
            ("httpApi", "GET", f"/products/{self.words.new('refused input')}"),
            ("httpApi", "PUT", f"/products/{product}"),
        ):
            body: Any = {"items": [], self.words.new("refused input"): 1} if method != "GET" else None
            for value in (self.words.new("token"), f"Basic {self.words.new('password')}", f"Bearer a.{'b' * 9}.c"):
                assert self.call(api, method, path, body, {"Authorization": value}).status == 401

    def _not_understood(self, customer: Account) -> None:
        """Send requests that violate the API contract. Each request must get 400, 404, 413 or 415."""
        word = self.words.new
        bodies: dict[str, list[Any]] = {
            "/users": [{"name": word("refused input"), "email": word("refused input")}],
            "/orders": [{"items": [{"product_id": f"-{word('refused input')}", "quantity": 1}]}],
            "/process": [{"items": [{"product_id": f"-{word('refused input')}", "quantity": 1}]}],
        }
        for path, own in bodies.items():
            anything: list[Any] = [
                {word("refused input"): word("refused input")},
                word("refused input"),
                f'{{"items": "{word("refused input")}',
                [word("refused input")],
                {"items": word("refused input"), "name": [word("refused input")], "email": {}},
                f'{{"items": [], "x": "{word("refused input") * 1200}"}}',
            ]
            for body in [*own, *anything]:
                assert customer.rest("POST", path, body).status in (400, 413)
            for kind in ("text/{}", "application/json; charset={}", "application/json; {}=1"):
                sent = {"Content_Type": kind.format(word("refused input"))}
                assert customer.rest("POST", path, lines(word("product id"), 1), **sent).status in (400, 415)
        text = word("refused input")
        for path in (
            f"/{text}",
            f"/orders/{text}/{text}",
            f"/users/{text}@example.com",
            f"/orders/{text}",
            f"/{text}?{text}",
        ):
            assert customer.rest("GET", path).status == 404
        for query in (f"limit={word('refused input')}", f"cursor={word('refused input')}"):
            assert customer.rest("GET", f"/orders?{query}").status == 400
            assert customer.http("GET", f"/products?{query}").status == 400
        assert customer.http("GET", f"/products/{word('refused input')}").status == 404
        assert customer.http("DELETE", f"/{word('refused input')}").status == 404

    def forging(self) -> None:
        """Send texts that would forge a log line, or change its color, if a function logged them unescaped."""
        customer = self.customer
        for form in _FORGERIES:
            word = self.words.new("refused input")
            self.forged.append(word)
            text = form.format(word)
            customer.rest("POST", "/users", {"name": [text], "email": text})
            customer.rest("POST", "/orders", {"items": [{"product_id": text, "quantity": 1}], text: text})
            customer.rest("POST", "/process", {"items": [{"product_id": text, "quantity": 1}]})
            for path in (f"/orders/{quote(text, safe='')}", f"/orders?limit={quote(text)}", f"/{quote(text, safe='')}"):
                customer.rest("GET", path)
            self.admin.http("PUT", f"/products/{quote(text, safe='')}", {"name": text})
            self.admin.http("PUT", "/products/tea", {"name": text, "currency": text, "unit_price": text, "quantity": 1})


def lines(product: str, quantity: int) -> dict[str, Any]:
    """Return the request body of an order with one line."""
    return {"items": [{"product_id": product, "quantity": quantity}]}
