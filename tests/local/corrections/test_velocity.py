"""The templates that API Gateway renders, rendered here: where airspeed alone is not Velocity."""

from __future__ import annotations

import json

from local.corrections.velocity import Rendered, Request, render


def rendered(template: str, *, body: str = "", headers: dict[str, str] | None = None) -> Rendered:
    return render(template, Request(body, {}, {}, headers or {}, {"requestId": "r"}, {}))


def test_the_escaped_apostrophe_that_json_does_not_know_can_be_replaced() -> None:
    template = r"""{"text": "$util.escapeJavaScript($input.json('$')).replaceAll("\\'","'")"}"""
    body = json.dumps({"name": 'it\'s \\ "5"'})
    assert json.loads(json.loads(rendered(template, body=body).text)["text"]) == json.loads(body)


def test_a_header_with_hyphens_can_be_overridden() -> None:
    template = "#set($context.responseOverride.header.Access-Control-Allow-Origin = $input.params('Origin'))"
    answer = rendered(template, headers={"Origin": "https://a.example.com"})
    assert answer.headers == {"Access-Control-Allow-Origin": "https://a.example.com"}
