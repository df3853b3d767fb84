import time
from collections.abc import Callable

import pytest

from tests.local.cloud import Cloud
from tests.local.sign_in import SignInPage, claims


def by_endpoint(page: SignInPage, refresh_token: str) -> list[str]:
    found = page.refresh(refresh_token).json()
    return [found["id_token"], found["access_token"]]


def by_api(page: SignInPage, refresh_token: str) -> list[str]:
    parameters = {"REFRESH_TOKEN": refresh_token}
    found = page.cloud(
        "cognito-idp",
        "initiate_auth",
        ClientId=page.client_id,
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters=parameters,
    )["AuthenticationResult"]
    return [found["IdToken"], found["AccessToken"]]


@pytest.mark.parametrize("refresh", [by_endpoint, by_api])
def test_refreshed_tokens_keep_the_time_of_the_sign_in(
    cloud: Cloud, refresh: Callable[[SignInPage, str], list[str]]
) -> None:
    page = SignInPage.make(cloud)
    tokens = page.tokens()
    signed_in_at = claims(tokens["id_token"])["auth_time"]
    assert claims(tokens["access_token"])["auth_time"] == signed_in_at
    # The refresh token must contain the time of the sign-in, because a restarted emulator reads the time from this
    # token.
    assert claims(tokens["refresh_token"])["auth_time"] == signed_in_at
    # `auth_time` is in whole seconds. After this pause, the current time differs from the time of the sign-in.
    time.sleep(1.1)
    refreshed = [claims(each) for each in refresh(page, tokens["refresh_token"])]
    assert [each["auth_time"] for each in refreshed] == [signed_in_at, signed_in_at]
    assert all(each["iat"] > signed_in_at for each in refreshed)


def test_new_sign_in_has_a_new_auth_time(cloud: Cloud) -> None:
    page = SignInPage.make(cloud)
    first = claims(page.tokens()["id_token"])["auth_time"]
    time.sleep(1.1)
    assert claims(page.tokens()["id_token"])["auth_time"] > first
