"""Mapping templates that the library airspeed alone would render differently from API Gateway."""

from __future__ import annotations

import json

from local.corrections.velocity import Rendered, Request, render


def rendered(template: str, *, body: str = "", headers: dict[str, str] | None = None) -> Rendered:
    return render(template, Request(body, {}, {}, headers or {}, {"requestId": "r"}, {}))


def test_template_can_replace_escaped_apostrophes() -> None:
    template = r"""{"text": "$util.escapeJavaScript($input.json('$')).replaceAll("\\'","'")"}"""
    body = json.dumps({"name": 'it\'s \\ "5"'})
    assert json.loads(json.loads(rendered(template, body=body).text)["text"]) == json.loads(body)


def test_template_can_override_a_header_with_hyphens() -> None:
    template = "#set($context.responseOverride.header.Access-Control-Allow-Origin = $input.params('Origin'))"
    answer = rendered(template, headers={"Origin": "https://a.example.com"})
    assert answer.headers == {"Access-Control-Allow-Origin": "https://a.example.com"}
