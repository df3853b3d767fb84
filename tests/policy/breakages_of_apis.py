"""For each rule about an API or a firewall: changes that break the rule, and the resource that the rule must report."""

from __future__ import annotations

from typing import Any, Final

from tests.policy.stacks import Change, body, change, deleted_first, drop, plus, put, without


def _group(name: str) -> str:
    return f"AWSManagedRules{name}"


def _without_group(name: str) -> Change:
    def alter(props: dict[str, Any]) -> None:
        props["rules"] = [rule for rule in props["rules"] if rule["name"] != _group(name)]

    return change("WebAcl rest-api-waf", alter)


def _override(name: str) -> Change:
    def alter(props: dict[str, Any]) -> None:
        for rule in props["rules"]:
            if rule["name"] == _group(name):
                rule["overrideAction"] = {"count": {}}

    return change("WebAcl rest-api-waf", alter)


def _count_log4j(props: dict[str, Any]) -> None:
    for rule in props["rules"]:
        if rule["name"] == _group("KnownBadInputsRuleSet"):
            group = rule["statement"]["managedRuleGroupStatement"]
            group["ruleActionOverrides"] = [{"name": "Log4JRCE_BODY", "actionToUse": {"count": {}}}]


def _rest(route: str, **fields: Any) -> Change:
    """Return a change that sets `fields` of a route of the REST API, for example "GET /orders".

    A field with the value None is removed.
    """
    return _route("RestApi rest-api", route, fields)


def _http(route: str, **fields: Any) -> Change:
    """Return a change that sets `fields` of a route of the HTTP API, for example "GET /products".

    A field with the value None is removed.
    """
    return _route("Api http-api", route, fields)


def _route(api: str, route: str, fields: dict[str, Any]) -> Change:
    def alter(document: Any) -> None:
        method, path = route.split()
        operation = document["paths"][path][method.lower()]
        operation |= {_KEYS.get(key, key): value for key, value in fields.items()}
        document["paths"][path][method.lower()] = {key: each for key, each in operation.items() if each is not None}

    return body(api, alter)


def _authorized_by(kind: str) -> Change:
    def alter(document: Any) -> None:
        for scheme in document["components"]["securitySchemes"].values():
            scheme["x-amazon-apigateway-authorizer"]["type"] = kind

    return body("RestApi rest-api", alter)


def _validating(**checks: bool) -> Change:
    """Return a change that sets the settings `checks` in each request validator of the REST API.

    Without `checks`, the change removes all request validators.
    """

    def alter(document: Any) -> None:
        validators = document["x-amazon-apigateway-request-validators"]
        document["x-amazon-apigateway-request-validators"] = {
            name: {**validator, **checks} for name, validator in validators.items() if checks
        }

    return body("RestApi rest-api", alter)


_KEYS: Final = {
    "integration": "x-amazon-apigateway-integration",
    "validator": "x-amazon-apigateway-request-validator",
}
BREAKAGES: Final[dict[str, list[tuple[str, Change]]]] = {
    "rest-stage-logs-access": [
        ("rest-api-stage", put("Stage rest-api-stage", "accessLogSettings", "destinationArn", value=""))
    ],
    "rest-access-log-is-json": [
        ("rest-api-stage", put("Stage rest-api-stage", "accessLogSettings", "format", value="$context.requestId"))
    ],
    "rest-stage-is-traced": [("rest-api-stage", drop("Stage rest-api-stage", "xrayTracingEnabled"))],
    "rest-stage-is-behind-a-firewall": [("rest-api-stage", without("WebAclAssociation rest-api-waf"))],
    "rest-stage-logs-its-work": [
        ("rest-api-stage", put("MethodSettings rest-api-settings", "settings", "loggingLevel", value="OFF"))
    ],
    "rest-stage-is-throttled": [
        ("rest-api-stage", drop("MethodSettings rest-api-settings", "settings", "throttlingRateLimit")),
        ("rest-api-stage", put("MethodSettings rest-api-settings", "settings", "throttlingBurstLimit", value=-1)),
    ],
    "rest-stage-shows-a-client-certificate": [
        ("rest-api-stage", _rest("GET /users/{user_id}", integration={"type": "http_proxy"})),
    ],
    "rest-stage-logs-no-bodies": [
        ("rest-api-settings", put("MethodSettings rest-api-settings", "settings", "dataTraceEnabled", value=True))
    ],
    "rest-cache-is-encrypted": [
        ("rest-api-settings", put("MethodSettings rest-api-settings", "settings", "cachingEnabled", value=True))
    ],
    "rest-api-can-validate-requests": [
        ("rest-api", _validating(validateRequestBody=False)),
        ("rest-api", _validating(validateRequestParameters=False)),
        ("rest-api", _validating()),
    ],
    "rest-method-validates-requests": [
        ("rest-api", _rest("GET /users/{user_id}", validator=None)),
    ],
    "rest-method-asks-for-a-token": [
        ("rest-api", _rest("GET /users/{user_id}", security=[])),
        ("rest-api", _rest("GET /users/{user_id}", security=None)),
        ("rest-api", _rest("GET /users/{user_id}", security=[{"another": []}])),
        ("rest-api", _authorized_by("token")),
        ("new", plus("aws:apigateway/method:Method", {"authorization": "COGNITO_USER_POOLS", "httpMethod": "GET"})),
    ],
    "rest-api-serves-while-it-is-replaced": [
        ("rest-api-deployment", deleted_first("Deployment rest-api-deployment")),
        ("rest-api", deleted_first("RestApi rest-api")),
    ],
    "http-stage-logs-access": [
        ("http-api-stage", put("Stage http-api-stage", "accessLogSettings", "destinationArn", value=""))
    ],
    "http-access-log-is-json": [
        ("http-api-stage", put("Stage http-api-stage", "accessLogSettings", "format", value="$context.requestId"))
    ],
    "http-stage-is-throttled": [
        ("http-api-stage", drop("Stage http-api-stage", "defaultRouteSettings", "throttlingRateLimit"))
    ],
    "http-route-asks-for-a-token": [
        ("http-api", _http("PUT /products/{product_id}", security=[])),
        ("http-api", _http("PUT /products/{product_id}", security=[{"another": []}])),
        ("new", plus("aws:apigatewayv2/route:Route", {"authorizationType": "JWT", "routeKey": "GET /new"})),
    ],
    "firewall-has-rules": [("rest-api-waf", put("WebAcl rest-api-waf", "rules", value=[]))],
    "firewall-rules-act": [
        (
            "rest-api-waf",
            change("WebAcl rest-api-waf", lambda props: props["rules"][0].pop("action")),
        )
    ],
    "firewall-is-logged": [("rest-api-waf", without("WebAclLoggingConfiguration rest-api-waf-log"))],
    "firewall-refuses-known-bad-inputs": [
        ("rest-api-waf", _without_group("KnownBadInputsRuleSet")),
        ("rest-api-waf", _override("KnownBadInputsRuleSet")),
        ("rest-api-waf", change("WebAcl rest-api-waf", _count_log4j)),
    ],
    "firewall-knows-anonymous-addresses": [("rest-api-waf", _without_group("AnonymousIpList"))],
    "user-pool-asks-for-strong-passwords": [
        ("identity-pool", put("UserPool identity-pool", "passwordPolicy", "minimumLength", value=7)),
        ("identity-pool", put("UserPool identity-pool", "passwordPolicy", "requireSymbols", value=False)),
    ],
}
