from tests.local.cloud import Cloud
from tests.local.sign_in import SignInPage


def test_identity_provider_cognito_opens_the_sign_in_page(cloud: Cloud) -> None:
    page = SignInPage.make(cloud)
    answer = page.get("/oauth2/authorize", **page.request, identity_provider="COGNITO")
    assert answer.status == 200
    assert 'name="password"' in answer.text


def test_unknown_identity_provider_is_refused(cloud: Cloud) -> None:
    page = SignInPage.make(cloud)
    assert page.get("/oauth2/authorize", **page.request, identity_provider="Else").status == 400
