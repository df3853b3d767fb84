"""Tests of the web site: the pages and both APIs on one origin."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from components.site.site import HTTP_PATH, REST_PATH, VIEWER_ADDRESS_HEADER, VIEWER_REQUEST
from tests.support.graph import Graph, record, stack_config

GraphOf = Callable[[str], Graph]


def site_settings(**changes: object) -> dict[str, str]:
    config = stack_config("prod")
    return config | {"orders:site": json.dumps(json.loads(config["orders:site"]) | changes)}


@pytest.fixture(scope="module")
def own_domain_graph() -> Graph:
    settings = site_settings(domain="shop.example.com", hostedZoneId="Z0123456789")
    return record("prod", config=settings, build_archives=False)


def distribution(graph: Graph) -> dict[str, Any]:
    (made,) = graph.of("aws:cloudfront/distribution:Distribution")
    return dict(made.inputs)


def test_site_exists_only_where_it_is_enabled(graph_of: GraphOf) -> None:
    for stack in ("local", "pr"):
        assert not graph_of(stack).of("aws:cloudfront/distribution:Distribution")
        assert graph_of(stack).outputs["ops"]["site"] is None
    assert graph_of("prod").outputs["ops"]["site"]["url"] == "https://d111abc.cloudfront.net"


def test_each_api_has_its_path_on_the_site(graph_of: GraphOf) -> None:
    graph = graph_of("prod")
    frontend = graph.outputs["frontend"]
    origins = {origin["originId"]: origin for origin in distribution(graph)["origins"]}
    served = {
        behavior["pathPattern"]: origins[behavior["targetOriginId"]]
        for behavior in distribution(graph)["orderedCacheBehaviors"]
    }
    for path, api in ((REST_PATH, "restApi"), (HTTP_PATH, "httpApi")):
        origin = served[f"{path}/*"]
        assert f"https://{origin['domainName']}{origin['originPath']}" == frontend[api]["url"]


def test_api_responses_are_never_cached(graph_of: GraphOf) -> None:
    # The id of the managed cache policy CachingDisabled. The Amazon CloudFront Developer Guide lists it under "Use
    # managed cache policies".
    policies = {behavior["cachePolicyId"] for behavior in distribution(graph_of("prod"))["orderedCacheBehaviors"]}
    assert policies == {"4135ea2d-6df8-44a3-9df3-4b5a84be39ad"}


def test_only_the_distribution_may_read_the_pages(graph_of: GraphOf) -> None:
    graph = graph_of("prod")
    (allowed,) = [
        statement for statement in graph.policy("BucketPolicy", "site-pages-policy") if statement["Effect"] == "Allow"
    ]
    assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert allowed["Action"] == "s3:GetObject"
    (made,) = graph.of("aws:cloudfront/distribution:Distribution")
    assert allowed["Condition"] == {"StringEquals": {"AWS:SourceArn": made.state["arn"]}}


def test_pages_may_connect_only_to_their_own_origin_and_to_cognito(graph_of: GraphOf) -> None:
    graph = graph_of("prod")
    (headers,) = graph.of("aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy")
    policy = headers.inputs["securityHeadersConfig"]["contentSecurityPolicy"]["contentSecurityPolicy"]
    auth = graph.outputs["frontend"]["auth"]
    assert f"connect-src 'self' {auth['hostedUiUrl']} {auth['issuer']}" in policy.split("; ")


def test_site_with_its_own_domain_has_a_certificate_and_dns_records(own_domain_graph: Graph) -> None:
    made = distribution(own_domain_graph)
    assert made["aliases"] == ["shop.example.com"]
    (certificate,) = own_domain_graph.of("aws:acm/certificate:Certificate")
    assert certificate.inputs["region"] == "us-east-1"
    assert made["viewerCertificate"]["acmCertificateArn"] == certificate.state["arn"]
    records = {
        (record.inputs["name"], record.inputs["type"]) for record in own_domain_graph.of("aws:route53/record:Record")
    }
    assert {("shop.example.com", "A"), ("shop.example.com", "AAAA")} < records
    assert own_domain_graph.outputs["ops"]["site"]["url"] == "https://shop.example.com"


def test_firewall_counts_requests_through_the_site_by_the_viewers_ip_address(graph_of: GraphOf) -> None:
    (acl,) = graph_of("prod").of("WebAcl")
    limits = [
        rule["statement"]["rateBasedStatement"]
        for rule in acl.inputs["rules"]
        if "rateBasedStatement" in rule["statement"]
    ]
    by_kind = {limit["aggregateKeyType"]: limit for limit in limits}
    assert by_kind["FORWARDED_IP"]["forwardedIpConfig"]["headerName"] == VIEWER_ADDRESS_HEADER
    counted = by_kind["IP"]["scopeDownStatement"]["notStatement"]["statement"]["sizeConstraintStatement"]
    assert counted["fieldToMatch"] == {"singleHeader": {"name": VIEWER_ADDRESS_HEADER}}


@pytest.mark.parametrize(
    ("uri", "expected", "is_api"),
    [
        ("/", "/index.html", False),
        ("/orders/1f0c", "/index.html", False),
        ("/callback", "/index.html", False),
        ("/assets/app.8c1b.js", "/assets/app.8c1b.js", False),
        (f"{REST_PATH}/orders", "/orders", True),
        (f"{REST_PATH}/orders/1f0c/cancel", "/orders/1f0c/cancel", True),
        (f"{HTTP_PATH}/products/tea.pot", "/products/tea.pot", True),
        (f"{HTTP_PATH}/", "/", True),
        ("/api/other", "/index.html", False),
    ],
)
def test_viewer_request_function_selects_the_page_or_the_api_path(uri: str, expected: str, is_api: bool) -> None:
    code = VIEWER_REQUEST.read_text(encoding="utf-8").replace("${viewer_address}", VIEWER_ADDRESS_HEADER)
    event: dict[str, Any] = {"viewer": {"ip": "203.0.113.7"}, "request": {"uri": uri, "headers": {}}}
    program = f"{code}\nconsole.log(JSON.stringify(handler({json.dumps(event)})))"
    answer = json.loads(subprocess.run(["node", "-e", program], capture_output=True, check=True).stdout)  # noqa: S603, S607
    assert answer["uri"] == expected
    assert answer["headers"] == ({VIEWER_ADDRESS_HEADER: {"value": "203.0.113.7"}} if is_api else {})
