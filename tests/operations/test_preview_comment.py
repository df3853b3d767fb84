"""The pull request's comment."""

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


def test_a_comment_is_found_again_by_its_first_line() -> None:
    assert comment("dev", "no changes").startswith(marker("dev") + "\n")
    assert marker("dev") != marker("prod")


@pytest.mark.parametrize("preview", ["x" * 1_000_000, "é" * 200_000, "a\n" * 100_000, "`" * 60_000, ""])
def test_a_comment_is_never_longer_than_github_allows(preview: str) -> None:
    assert len(comment("prod", preview)) < GITHUB_LIMIT


def test_a_long_preview_keeps_its_beginning_and_end_and_says_what_is_left_out() -> None:
    text = comment("dev", "FIRST" + "x" * 100_000 + "LAST")
    assert "FIRST" in text
    assert "LAST" in text
    assert "characters left out" in text


def test_a_fence_inside_the_preview_does_not_end_the_comments_fence() -> None:
    assert comment("dev", "before\n```\nafter").count("```") == 2


def test_the_document_of_an_api_is_shown_by_its_routes() -> None:
    assert by_route(f"{BEFORE}\n{TREE}\n{AFTER}").splitlines() == [
        *BEFORE.splitlines()[:2],
        "      ~ routes of the API:",
        "~         GET /orders: operation id",
        "+         GET /orders/{id}/events",
        "~         POST /process: integration",
        "-         POST /users",
        *AFTER.splitlines()[1:],
    ]


def test_a_document_that_is_not_known_yet_is_said_to_be_so() -> None:
    gone = "\n".join(line.replace("~", "-").replace("+", "-") for line in TREE.splitlines())
    first, _, rest = AFTER.partition("\n")
    assert by_route(f"{BEFORE}\n{gone}\n{first}\n => [unknown]\n{rest}").splitlines() == [
        *BEFORE.splitlines()[:2],
        "      ~ routes of the API: not known before a resource that they name is replaced",
        *rest.splitlines(),
    ]


@pytest.mark.parametrize("preview", [BEFORE, f"{BEFORE}\n{TREE}", "    ~ body: output<string>", AFTER])
def test_what_is_no_whole_document_is_shown_as_it_is(preview: str) -> None:
    assert by_route(preview) == preview


def test_the_comment_has_the_routes() -> None:
    assert "GET /orders: operation id" in comment("dev", f"{BEFORE}\n{TREE}\n{AFTER}")
