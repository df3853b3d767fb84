"""The seeds of a new instance: two users who can sign in, a profile and some products."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from local.aws import Aws, CallError
from local.client import Answer, Client, SignInError, Tokens
from local.errors import LocalError

ADMIN_GROUP: Final = "admin"
CUSTOMER: Final = "customer@example.com"
ADMIN: Final = "admin@example.com"
PRODUCTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "apple": {"name": "Apple", "unit_price": 120, "currency": "JPY", "quantity": 1000},
    "bento": {"name": "Bento box", "unit_price": 850, "currency": "JPY", "quantity": 200},
    "green-tea": {"name": "Green tea", "unit_price": 150, "currency": "JPY", "quantity": 5000},
    "matcha-whisk": {"name": "Matcha whisk", "unit_price": 2400, "currency": "JPY", "quantity": 40},
    "teapot": {"name": "Cast-iron teapot", "unit_price": 9800, "currency": "JPY", "quantity": 3},
}
_CREATED: Final = 201
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409


@dataclass(frozen=True)
class _Person:
    username: str
    password: str

    def output(self) -> dict[str, str]:
        return {"username": self.username, "password": self.password}


def plant(aws: Aws, exports: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Create the missing seeds without changing existing data, and return the output `local`.

    `known` is the output `local` of the last `make up`, or empty. Raises LocalError.
    """
    pool: str = exports["frontend"]["auth"]["userPoolId"]
    customer = _person(aws, pool, CUSTOMER, known.get("customer") or {})
    admin = _person(aws, pool, ADMIN, known.get("admin") or {})
    aws("cognito-idp", "admin_add_user_to_group", UserPoolId=pool, Username=ADMIN, GroupName=ADMIN_GROUP)
    client = Client(frontend=exports["frontend"], cognito_url=aws.instance.url)
    with ThreadPoolExecutor(max_workers=2) as both:
        works = [both.submit(_profile, client, customer), both.submit(_products, client, admin)]
        for work in works:
            work.result()
    return {"endpointUrl": aws.instance.url, "customer": customer.output(), "admin": admin.output()}


def create_user(aws: Aws, outputs: Mapping[str, Any], email: str, *, admin: bool) -> tuple[str, str]:
    """Create a user who can sign in, and return the user's email address and password.

    An existing user gets a new password, except for the two seeded users, who keep theirs. With `admin`, the user
    becomes a member of the group `admin`. `outputs` is the content of .local/outputs.json. Raises LocalError or
    CallError.
    """
    pool: str = outputs["frontend"]["auth"]["userPoolId"]
    local: Mapping[str, Any] = outputs["local"]
    seeds = {each["username"]: each for each in (local["customer"], local["admin"])}
    person = _person(aws, pool, email, seeds.get(email.lower(), {}))
    if admin:
        aws("cognito-idp", "admin_add_user_to_group", UserPoolId=pool, Username=email, GroupName=ADMIN_GROUP)
    return person.username, person.password


def _person(aws: Aws, pool: str, email: str, known: Mapping[str, str]) -> _Person:
    """Create the user with the address `email` if necessary, and return the user with a valid password.

    If the user already exists and `known` contains the user's password, the password does not change. Otherwise, set a
    new password.
    """
    made = True
    try:
        aws(
            "cognito-idp",
            "admin_create_user",
            UserPoolId=pool,
            Username=email,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
        )
    except CallError as error:
        if error.code != "UsernameExistsException":
            raise LocalError(f"user {email}: {error}") from None
        made = False
    if not made and known.get("password"):
        return _Person(email, known["password"])
    # A password policy may require an upper-case letter, a lower-case letter, a digit and a symbol. The prefix contains
    # one of each.
    password = f"Aa1-{secrets.token_urlsafe(12)}"
    aws("cognito-idp", "admin_set_user_password", UserPoolId=pool, Username=email, Password=password, Permanent=True)
    return _Person(email, password)


def _profile(client: Client, customer: _Person) -> None:
    """Create the customer's profile with the REST API, as a frontend does."""
    token = _signed_in(client, customer).id_token
    answer = client.rest("POST", "/users", token, {"name": "Seeded Customer", "email": customer.username})
    _expect(answer, (_CREATED, _CONFLICT), "POST /users for the seeded customer")


def _products(client: Client, admin: _Person) -> None:
    """Create the missing products with the HTTP API, as an administrator does."""
    token = _signed_in(client, admin).access_token
    for product_id, product in PRODUCTS.items():
        found = client.http("GET", f"/products/{product_id}", token)
        _expect(found, (200, _NOT_FOUND), f"GET /products/{product_id}")
        if found.status == _NOT_FOUND:
            answer = client.http("PUT", f"/products/{product_id}", token, product)
            _expect(answer, (200, _CREATED), f"PUT /products/{product_id}")


def _signed_in(client: Client, person: _Person) -> Tokens:
    """Sign in with the authorization code flow. A stack can disable sign-in by password, but not this flow."""
    try:
        return client.sign_in_by_code(person.username, person.password)
    except SignInError as error:
        raise LocalError(f"sample data: {error}") from None


def _expect(answer: Answer, statuses: tuple[int, ...], what: str) -> None:
    if answer.status not in statuses:
        raise LocalError(f"sample data: {what} returned status {answer.status}: {answer.text[:500]}")
