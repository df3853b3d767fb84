from local.client import Client
from tests.local.cloud import Cloud, unique

ORIGIN = "https://shop.example.com"


def test_preflight_from_an_unlisted_origin_gets_no_cors_headers(cloud: Cloud) -> None:
    rules = {"AllowOrigins": [ORIGIN], "AllowMethods": ["GET"]}
    made = cloud("apigatewayv2", "create_api", Name=unique("http"), ProtocolType="HTTP", CorsConfiguration=rules)
    cloud("apigatewayv2", "create_stage", ApiId=made["ApiId"], StageName="$default")
    url = f"{cloud.instance.url}/_aws/execute-api/{made['ApiId']}/things"
    asked = {"Access-Control-Request-Method": "GET"}

    known = Client({}, "").send("OPTIONS", url, headers={"Origin": ORIGIN, **asked})
    foreign = Client({}, "").send("OPTIONS", url, headers={"Origin": "https://other.example.com", **asked})

    assert (known.status, known.headers["access-control-allow-origin"]) == (204, ORIGIN)
    assert foreign.status == 204
    assert not [name for name in foreign.headers if name.startswith("access-control")]
