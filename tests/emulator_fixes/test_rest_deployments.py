from typing import Any

from tests.local.cloud import Cloud
from tests.local.rest import RestApi


def mock(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return (
        {"type": "MOCK", "requestTemplates": {"application/json": '{"statusCode": 200}'}},
        {"statusCode": "200", "responseTemplates": {"application/json": text}},
    )


def test_change_of_a_rest_api_has_no_effect_until_the_next_deployment(cloud: Cloud) -> None:
    api = RestApi.make(cloud)
    api.method("one", "GET", *mock("first"))
    api.deploy()
    api.method("one", "GET", *mock("second"))
    api.method("two", "GET", *mock("new"))

    assert (api.send("GET", "one").text, api.send("GET", "two").status) == ("first", 403)
    api.deploy()
    assert (api.send("GET", "one").text, api.send("GET", "two").text) == ("second", "new")
