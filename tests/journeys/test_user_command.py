"""Tests of `make user`, which creates users in the local stack."""

from __future__ import annotations

import pytest

from tests.journeys.checked_client import CheckedClient
from tests.journeys.people import Person, unique
from tests.journeys.stack import Stack, local
from tests.local.sign_in import claims


def create(stack: Stack, client: CheckedClient, email: str, *options: str) -> Person:
    done = local("user", stack.instance, "--email", email, *options)
    assert done.returncode == 0, done.stderr
    username, password = done.stdout.split()
    assert username == email
    return Person(client, email, password)


def test_created_user_signs_in_with_a_verified_address(stack: Stack, client: CheckedClient) -> None:
    person = create(stack, client, f"{unique('new')}@example.com")
    assert person.rest("POST", "/users", {"name": "New User", "email": person.email}).status == 201
    assert "cognito:groups" not in claims(person.id_token)


def test_created_administrator_belongs_to_the_group_admin(stack: Stack, client: CheckedClient) -> None:
    person = create(stack, client, f"{unique('boss')}@example.com", "--admin")
    assert claims(person.id_token)["cognito:groups"] == ["admin"]


def test_existing_user_gets_a_new_password(stack: Stack, client: CheckedClient) -> None:
    email = f"{unique('again')}@example.com"
    first, second = create(stack, client, email), create(stack, client, email)
    assert first.password != second.password
    assert claims(second.id_token)["email"] == email


def test_sample_user_keeps_its_password(stack: Stack, client: CheckedClient) -> None:
    seed = stack.outputs["local"]["customer"]
    assert create(stack, client, seed["username"]).password == seed["password"]


@pytest.mark.parametrize("email", ["", "ann", "ann example.com"])
def test_invalid_email_address_is_refused(stack: Stack, email: str) -> None:
    done = local("user", stack.instance, "--email", email)
    assert done.returncode == 1
    assert f"EMAIL: got {email!r}; allowed: an email address" in done.stderr
    assert "EMAIL=ann@example.com" in done.stderr
