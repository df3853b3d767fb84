import pytest

from tests.local.cloud import Cloud
from tests.local.http_api import HttpApi

ECHO = """
    def handle(event, context):
        return {"statusCode": 200, "body": event["routeKey"]}
"""


@pytest.fixture(scope="module")
def api(cloud: Cloud) -> HttpApi:
    return HttpApi.make(cloud, cloud.function(ECHO), "GET /products", "GET /products/{product_id}")


@pytest.mark.parametrize("path", ["/products/", "/products/apple/", "/products//", "/products/?limit=1"])
def test_path_with_a_trailing_slash_gets_404(api: HttpApi, path: str) -> None:
    answer = api.get(path)

    assert (answer.status, answer.json()) == (404, {"message": "Not Found"})


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/products", "GET /products"),
        ("/products?limit=1", "GET /products"),
        ("/products/apple", "GET /products/{product_id}"),
        ("//products", "GET /products"),
    ],
)
def test_path_without_a_trailing_slash_matches_its_route(api: HttpApi, path: str, route: str) -> None:
    answer = api.get(path)

    assert (answer.status, answer.text) == (200, route)
