"""Tests of the Cognito user pool of each stack."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import STACKS
from tests.support.graph import Graph

GraphOf = Callable[[str], Graph]
BY_PASSWORD = {"ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"}


@pytest.mark.parametrize(("stack", "by_password"), [("dev", True), ("local", True), ("prod", False)])
def test_sign_in_by_password_follows_the_stacks_setting(stack: str, by_password: bool, graph_of: GraphOf) -> None:
    flows = set(graph_of(stack).one("UserPoolClient", "identity-client").inputs["explicitAuthFlows"])
    assert flows == {"ALLOW_REFRESH_TOKEN_AUTH"} | (BY_PASSWORD if by_password else set())


@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_offers_the_code_flow_without_a_client_secret(stack: str, graph_of: GraphOf) -> None:
    graph = graph_of(stack)
    client = graph.one("UserPoolClient", "identity-client").inputs
    assert client["generateSecret"] is False
    assert client["allowedOauthFlows"] == ["code"]
    assert "email" in client["allowedOauthScopes"]
    assert client["callbackUrls"] == graph.outputs["frontend"]["auth"]["redirectUris"]
    assert client["logoutUrls"] == graph.outputs["frontend"]["auth"]["logoutUris"]
    assert client["preventUserExistenceErrors"] == "ENABLED"


@pytest.mark.parametrize("stack", STACKS)
def test_id_tokens_contain_verified_email_addresses(stack: str, graph_of: GraphOf) -> None:
    """POST /users requires the claims `email` and `email_verified`, so the app client must be able to read them.

    `readAttributes` lists the attributes that a client may read. Without this list, a client may read every standard
    attribute.
    """
    graph = graph_of(stack)
    assert graph.one("UserPool", "identity-pool").inputs["autoVerifiedAttributes"] == ["email"]
    client = graph.one("UserPoolClient", "identity-client").inputs
    assert {"email", "email_verified"} <= set(client.get("readAttributes") or ["email", "email_verified"])
    # An app client may write `email_verified` only if `writeAttributes` lists it.
    assert "email_verified" not in (client.get("writeAttributes") or [])


@pytest.mark.parametrize("stack", STACKS)
def test_user_pool_has_only_the_group_admin(stack: str, graph_of: GraphOf) -> None:
    # REST APIs pass the groups of a user as one text, in which commas separate the groups. A group with a comma in its
    # name would look like two groups (docs/decisions/11-group-names.md).
    assert [group.inputs["name"] for group in graph_of(stack).of("UserGroup")] == ["admin"]


@pytest.mark.parametrize("stack", STACKS)
def test_no_function_may_create_groups_or_add_users_to_them(stack: str, graph_of: GraphOf) -> None:
    policies = [policy.inputs["policy"] for policy in graph_of(stack).of("RolePolicy")]
    assert policies
    assert not [policy for policy in policies if "cognito" in policy]


def test_auth_urls_contain_the_user_pools_region(graph_of: GraphOf) -> None:
    auth = graph_of("prod").outputs["frontend"]["auth"]
    assert auth["issuer"] == f"https://cognito-idp.ap-northeast-1.amazonaws.com/{auth['userPoolId']}"
    assert auth["jwksUrl"] == f"{auth['issuer']}/.well-known/jwks.json"
    assert auth["hostedUiUrl"].endswith(".auth.ap-northeast-1.amazoncognito.com")


def test_passwords_are_long_and_tokens_expire_within_an_hour(graph_of: GraphOf) -> None:
    graph = graph_of("prod")
    assert graph.one("UserPool", "identity-pool").inputs["passwordPolicy"]["minimumLength"] >= 12
    client = graph.one("UserPoolClient", "identity-client").inputs
    assert client["tokenValidityUnits"]["idToken"] == client["tokenValidityUnits"]["accessToken"] == "minutes"
    assert client["idTokenValidity"] <= 60
