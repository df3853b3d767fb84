"""Who uses the platform: people who signed in, and what each of them does by the APIs."""

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
    """Return a name that no other test has, in this run or in another one on the same stack."""
    return f"{name}-{next(_numbers)}-{uuid.uuid4().hex[:6]}"


@dataclass
class Person:
    """Somebody with an account, and with a profile once `introduce` was called."""

    client: CheckedClient
    email: str
    password: str = PASSWORD
    sub: str = ""
    name: str = field(default_factory=lambda: unique("Kazumi Journey"))

    @cached_property
    def id_token(self) -> str:
        """For the REST API."""
        return self.client.sign_in(self.email, self.password).id_token

    @cached_property
    def access_token(self) -> str:
        """For the HTTP API, with scope `email`."""
        return self.client.sign_in_by_code(self.email, self.password).access_token

    def rest(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Call the REST API; a header's name has `_` for `-`."""
        return self.client.rest(method, path, self.id_token, body, _dashed(headers))

    def http(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Call the HTTP API; a header's name has `_` for `-`."""
        return self.client.http(method, path, self.access_token, body, _dashed(headers))

    def introduce(self) -> Person:
        """Create the profile, which is where mails go."""
        answer = self.rest("POST", "/users", {"name": self.name, "email": self.email})
        assert answer.status == 201, answer
        return self

    def order(self, items: Mapping[str, int], key: str | None = None) -> dict[str, Any]:
        """Place an order of {product: quantity} and return it as it was accepted."""
        answer = self.rest("POST", "/orders", lines(items), **({"Idempotency_Key": key} if key else {}))
        assert answer.status == 202, answer
        return answer.json()

    def process(self, items: Mapping[str, int], key: str | None = None) -> Answer:
        """Place an order and wait until it is decided."""
        return self.rest("POST", "/process", lines(items), **({"Idempotency_Key": key} if key else {}))

    def read(self, order_id: str) -> dict[str, Any]:
        """Return the order as it is now."""
        answer = self.rest("GET", f"/orders/{order_id}")
        assert answer.status == 200, answer
        return answer.json()

    def put(self, quantity: int, *, unit_price: int = 250, currency: str = "JPY", product_id: str = "") -> str:
        """Put a product into the catalogue, by default a new one, and return its id."""
        product_id = product_id or unique("product")
        content = {"name": product_id, "unit_price": unit_price, "currency": currency, "quantity": quantity}
        answer = self.http("PUT", f"/products/{product_id}", content)
        assert answer.status in (200, 201), answer
        return product_id


@dataclass
class People:
    """Makes accounts."""

    stack: Stack
    client: CheckedClient

    def somebody(self, *groups: str) -> Person:
        """Return a new person who can sign in, in the groups given."""
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
    """Return the body of an order."""
    return {"items": [{"product_id": product_id, "quantity": number} for product_id, number in items.items()]}


def at_once[T](times: int, do: Callable[[], T]) -> list[T]:
    """Return what `do` gives, done that often at the same time."""
    with ThreadPoolExecutor(max_workers=times) as pool:
        return [each.result() for each in [pool.submit(do) for _ in range(times)]]


def _dashed(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
