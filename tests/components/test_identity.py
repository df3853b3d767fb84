"""The user pool as each stack has it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.graph import Graph

GraphOf = Callable[[str], Graph]
BY_PASSWORD = {"ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"}


@pytest.mark.parametrize(("stack", "by_password"), [("dev", True), ("local", True), ("prod", False)])
def test_signing_in_by_password_is_a_setting(stack: str, by_password: bool, graph_of: GraphOf) -> None:
    flows = set(graph_of(stack).one("UserPoolClient", "identity-client").inputs["explicitAuthFlows"])
    assert flows == {"ALLOW_REFRESH_TOKEN_AUTH"} | (BY_PASSWORD if by_password else set())


@pytest.mark.parametrize("stack", ["dev", "prod", "local"])
def test_every_stack_has_the_code_flow_without_a_client_secret(stack: str, graph_of: GraphOf) -> None:
    graph = graph_of(stack)
    client = graph.one("UserPoolClient", "identity-client").inputs
    assert client["generateSecret"] is False
    assert client["allowedOauthFlows"] == ["code"]
    assert "email" in client["allowedOauthScopes"]
    assert client["callbackUrls"] == graph.outputs["frontend"]["auth"]["redirectUris"]
    assert client["preventUserExistenceErrors"] == "ENABLED"


@pytest.mark.parametrize("stack", ["dev", "prod", "local"])
def test_there_is_one_group_and_its_name_reads_the_same_in_every_list(stack: str, graph_of: GraphOf) -> None:
    # On the REST API, a name with a comma would look like two groups (docs/decisions/11-group-names.md).
    assert [group.inputs["name"] for group in graph_of(stack).of("UserGroup")] == ["admin"]


@pytest.mark.parametrize("stack", ["dev", "prod", "local"])
def test_no_function_may_make_groups_or_put_anybody_into_one(stack: str, graph_of: GraphOf) -> None:
    policies = [policy.inputs["policy"] for policy in graph_of(stack).of("RolePolicy")]
    assert policies
    assert not [policy for policy in policies if "cognito" in policy]


def test_the_pools_addresses_are_of_its_region(graph_of: GraphOf) -> None:
    auth = graph_of("prod").outputs["frontend"]["auth"]
    assert auth["issuer"] == f"https://cognito-idp.ap-northeast-1.amazonaws.com/{auth['userPoolId']}"
    assert auth["jwksUrl"] == f"{auth['issuer']}/.well-known/jwks.json"
    assert auth["hostedUiUrl"].endswith(".auth.ap-northeast-1.amazoncognito.com")


def test_passwords_are_long_and_tokens_short(graph_of: GraphOf) -> None:
    graph = graph_of("prod")
    assert graph.one("UserPool", "identity-pool").inputs["passwordPolicy"]["minimumLength"] >= 12
    client = graph.one("UserPoolClient", "identity-client").inputs
    assert client["tokenValidityUnits"]["idToken"] == client["tokenValidityUnits"]["accessToken"] == "minutes"
    assert client["idTokenValidity"] <= 60
