"""Tests of the comment that a pull request gets about its preview."""

import pytest

from operations.preview_comment import GITHUB_LIMIT, by_route, comment, marker

# This is a shortened preview of the CLI. One field is added, a text with several lines is changed, and another field
# has a new value.
BEFORE = """\
    ~ aws:apigateway/restApi:RestApi: (update)
        [id=api4d3439e6c4]
      ~ body: (json) {"""
AFTER = """\
        }
    +-aws:apigateway/deployment:Deployment: (replace)
      ~ triggers: {
          ~ body: "c263d525" => "b5e37dec"
        }"""
TREE = """\
            info                                    : {
                title  : "orders-dev-rest-api"
            }
          ~ paths                                   : {
              ~ /orders                  : {
                  ~ get    : {
                      ~ operationId                          : "listOrders" => "findOrders"
                        security                             : [
                            [0]: {
                                userPoolIdToken: []
                            }
                        ]
                    }
                }
              + /orders/{id}/events      : {
                  + get    : {
                      + operationId                          : "listEvents"
                      + security                             : [
                      +     [0]: {
                              + userPoolIdToken: []
                            }
                        ]
                    }
                }
              ~ /process                 : {
                  ~ post   : {
                      ~ x-amazon-apigateway-integration      : {
                          ~ responses          : {
                              ~ 200    : {
                                  ~ responseTemplates : {
                                      ~ application/json:
                                            #if($status == 'SUCCEEDED')
                                          - #set($message = 'Failed: {"a": 1}')
                                          + #set($message = 'Not done: {"a": 1}')
                                            #end
                                    }
                                }
                            }
                        }
                    }
                }
              - /users                   : {
                  - post   : {
                      - operationId: "createUser"
                    }
                }
            }"""


def test_first_line_of_a_comment_identifies_its_stack() -> None:
    assert comment("dev", "no changes").startswith(marker("dev") + "\n")
    assert marker("dev") != marker("prod")


@pytest.mark.parametrize("preview", ["x" * 1_000_000, "é" * 200_000, "a\n" * 100_000, "`" * 60_000, ""])
def test_comment_is_shorter_than_the_limit_of_github(preview: str) -> None:
    assert len(comment("prod", preview)) < GITHUB_LIMIT


def test_long_preview_is_shortened_in_the_middle() -> None:
    text = comment("dev", "FIRST" + "x" * 100_000 + "LAST")
    assert "FIRST" in text
    assert "LAST" in text
    assert "characters left out" in text


def test_code_fence_in_the_preview_does_not_end_the_comments_fence() -> None:
    assert comment("dev", "before\n```\nafter").count("```") == 2


def test_changed_api_document_is_shown_by_its_routes() -> None:
    assert by_route(f"{BEFORE}\n{TREE}\n{AFTER}").splitlines() == [
        *BEFORE.splitlines()[:2],
        "      ~ routes of the API:",
        "~         GET /orders: operation id",
        "+         GET /orders/{id}/events",
        "~         POST /process: integration",
        "-         POST /users",
        *AFTER.splitlines()[1:],
    ]


def test_document_that_is_not_known_yet_is_reported_as_unknown() -> None:
    gone = "\n".join(line.replace("~", "-").replace("+", "-") for line in TREE.splitlines())
    first, _, rest = AFTER.partition("\n")
    assert by_route(f"{BEFORE}\n{gone}\n{first}\n => [unknown]\n{rest}").splitlines() == [
        *BEFORE.splitlines()[:2],
        "      ~ routes of the API: unknown until Pulumi has replaced a resource that the routes refer to",
        *rest.splitlines(),
    ]


@pytest.mark.parametrize("preview", [BEFORE, f"{BEFORE}\n{TREE}", "    ~ body: output<string>", AFTER])
def test_preview_without_a_whole_document_is_not_changed(preview: str) -> None:
    assert by_route(preview) == preview


def test_comment_contains_the_changed_routes() -> None:
    assert "GET /orders: operation id" in comment("dev", f"{BEFORE}\n{TREE}\n{AFTER}")
