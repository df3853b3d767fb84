"""Test users, with methods that sign a user in and call the platform's APIs as this user."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeVar, cast

from local.client import Answer
from tests.journeys.checked_client import CheckedClient
from tests.journeys.stack import Stack

T = TypeVar("T")
PASSWORD: Final = "Correct-horse-1"
_numbers = itertools.count(1)


def unique(name: str) -> str:
    """Return a unique name that starts with `name`, so that tests on the same stack do not affect each other."""
    return f"{name}-{next(_numbers)}-{uuid.uuid4().hex[:6]}"


@dataclass
class Person:
    """A user who can sign in. The user has no profile until a test calls `introduce`."""

    client: CheckedClient
    email: str
    password: str = PASSWORD
    sub: str = ""
    name: str = field(default_factory=lambda: unique("Kazumi Journey"))

    @cached_property
    def id_token(self) -> str:
        """ID token for the REST API. The first use of this property signs the user in."""
        return self.client.sign_in(self.email, self.password).id_token

    @cached_property
    def access_token(self) -> str:
        """Access token for the HTTP API, with the scope `email`. The first use of this property signs the user in."""
        return self.client.sign_in_by_code(self.email, self.password).access_token

    def rest(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request with the ID token to the REST API. Write `_` instead of `-` in the names of `headers`."""
        return self.client.rest(method, path, self.id_token, body, _dashed(headers))

    def http(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request with the access token to the HTTP API. Write `_` instead of `-` in the names of `headers`."""
        return self.client.http(method, path, self.access_token, body, _dashed(headers))

    def introduce(self) -> Person:
        """Create the user's profile, so that the platform sends emails to the user's address. Return the user."""
        answer = self.rest("POST", "/users", {"name": self.name, "email": self.email})
        assert answer.status == 201, answer
        return self

    def order(self, items: Mapping[str, int], key: str | None = None) -> dict[str, Any]:
        """Place an order of `items` ({product id: quantity}) with `POST /orders`, and return the accepted order."""
        answer = self.rest("POST", "/orders", lines(items), **({"Idempotency_Key": key} if key else {}))
        assert answer.status == 202, answer
        return answer.json()

    def process(self, items: Mapping[str, int], key: str | None = None) -> Answer:
        """Place an order with `POST /process`, and return the response: the confirmed order, or an error."""
        return self.rest("POST", "/process", lines(items), **({"Idempotency_Key": key} if key else {}))

    def read(self, order_id: str) -> dict[str, Any]:
        """Return the order as `GET /orders/{order_id}` returns it."""
        answer = self.rest("GET", f"/orders/{order_id}")
        assert answer.status == 200, answer
        return answer.json()

    def put(self, quantity: int, *, unit_price: int = 250, currency: str = "JPY", product_id: str = "") -> str:
        """Create or replace a product in the catalog, and return its id. Without `product_id`, the product is new."""
        product_id = product_id or unique("product")
        content = {"name": product_id, "unit_price": unit_price, "currency": currency, "quantity": quantity}
        answer = self.http("PUT", f"/products/{product_id}", content)
        assert answer.status in (200, 201), answer
        return product_id


@dataclass
class People:
    """Creates users in the stack's user pool."""

    stack: Stack
    client: CheckedClient

    def somebody(self, *groups: str) -> Person:
        """Create a user who can sign in but has no profile. Add the user to the groups `groups` of the user pool."""
        email = f"{unique('person')}@example.com"
        pool = self.stack.frontend["auth"]["userPoolId"]
        made = self.stack.aws(
            "cognito-idp",
            "admin_create_user",
            UserPoolId=pool,
            Username=email,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
        )
        self.stack.aws(
            "cognito-idp", "admin_set_user_password", UserPoolId=pool, Username=email, Password=PASSWORD, Permanent=True
        )
        for group in groups:
            self.stack.aws("cognito-idp", "admin_add_user_to_group", UserPoolId=pool, Username=email, GroupName=group)
        attributes = cast("list[dict[str, str]]", made["User"]["Attributes"])
        sub = next(each["Value"] for each in attributes if each["Name"] == "sub")
        return Person(self.client, email, sub=sub)


def lines(items: Mapping[str, int]) -> dict[str, Any]:
    """Return the body of a request that orders `items` ({product id: quantity})."""
    return {"items": [{"product_id": product_id, "quantity": number} for product_id, number in items.items()]}


def at_once[T](times: int, do: Callable[[], T]) -> list[T]:
    """Call `do` `times` times at the same time, in up to `times` threads, and return the results."""
    with ThreadPoolExecutor(max_workers=times) as pool:
        return [each.result() for each in [pool.submit(do) for _ in range(times)]]


def _dashed(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
