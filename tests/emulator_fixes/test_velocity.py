"""Tests that the emulator renders mapping templates like API Gateway.

Without the correction `velocity`, the library airspeed renders these templates differently.
"""

from __future__ import annotations

import json

import pytest

from emulator_fixes.velocity import Rendered, Request, render


def rendered(template: str, *, body: str = "", headers: dict[str, str] | None = None) -> Rendered:
    return render(template, Request(body, {}, {}, headers or {}, {"requestId": "r"}, {}))


def test_template_can_replace_escaped_apostrophes() -> None:
    template = r"""{"text": "$util.escapeJavaScript($input.json('$')).replaceAll("\\'","'")"}"""
    body = json.dumps({"name": 'it\'s \\ "5"'})
    assert json.loads(json.loads(rendered(template, body=body).text)["text"]) == json.loads(body)


def test_template_can_call_string_methods_on_a_header_name() -> None:
    template = "#foreach($name in $input.params().header.keySet())#if($name.matches('(?i)key'))$name#end#end"
    assert rendered(template, headers={"Other": "1", "KEY": "2", "Key-2": "3"}).text == "KEY"


@pytest.mark.parametrize("parameter", ["status", "header.Location"])
def test_parameter_that_is_overridden_twice_is_an_error(parameter: str) -> None:
    override = f"#set($context.responseOverride.{parameter} = 201)"
    rendered(override)
    with pytest.raises(ValueError, match="is overridden twice"):
        rendered(override * 2)


def test_half_of_a_surrogate_pair_is_escaped() -> None:
    # A template that shortens a string can cut a surrogate pair in half. UTF-8 cannot encode the remaining half, so
    # `escapeJavaScript` must return it as an escape sequence.
    answer = rendered("$util.escapeJavaScript($input.path('$.half'))", body='{"half": "\\ud83d"}')
    assert answer.text == "\\uD83D"


def test_template_can_override_a_header_with_hyphens() -> None:
    template = "#set($context.responseOverride.header.Access-Control-Allow-Origin = $input.params('Origin'))"
    answer = rendered(template, headers={"Origin": "https://a.example.com"})
    assert answer.headers == {"Access-Control-Allow-Origin": "https://a.example.com"}
