"""The integration of `POST /process`: API Gateway starts an EXPRESS execution and converts its result to a response.

StartSyncExecution returns 200 even for a failed execution, so the response template sets the HTTP status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.apis.cors import CorsRules
from components.apis.mapping_templates import JSON, error_body, render
from components.apis.rest_document import answer_parts
from components.aws.iam import allow, policy_document, trust
from components.aws.owner import Owner
from components.workflow import state_machine
from contracts.orders import HTTP_STATUS, LARGEST_BODY_BYTES, RETRY_AFTER_S

_FAILURES: Final = state_machine.fail_errors(state_machine.load(state_machine.DEFINITION)).values()
STATUS_OF_ERROR: Final[Mapping[str, int]] = {
    error: status for error, status in HTTP_STATUS.items() if error in _FAILURES
}
"""The HTTP status of each client error with which the workflow deliberately fails, such as OutOfStock.

For the errors Undecided and NotRecorded, clients receive 503 ServiceUnavailable. For any other error, clients receive
500 InternalError without the cause of the error, because the cause can reveal how the platform is built.
"""
# The size limit of a body is in bytes, but Velocity counts characters. The request template therefore encodes the body
# with Base64, and compares the length of the result with this maximum. Base64 converts each group of three bytes into
# four characters, and pads the last group if it is incomplete. A padded group would hide one or two bytes too many. The
# template therefore adds two bytes to every body, which make the last group of the largest allowed body complete. A
# body with one more byte then needs another group, so its result is longer than this maximum.
_LONGEST_BASE64: Final = (LARGEST_BODY_BYTES + 2) // 3 * 4
_FAILED: Final = "The order could not be processed; retry the request with the same Idempotency-Key."
_UNDECIDED: Final = (
    "The order is accepted but not decided yet; get the order, or retry the request with the same Idempotency-Key."
)
_NOT_RECORDED: Final = "The order could not be placed; wait, then retry the request with the same Idempotency-Key."
_TIMED_OUT: Final = "The order was not decided in time; retry the request with the same Idempotency-Key."
_THROTTLED: Final = "Too many requests; wait, then retry the request with the same Idempotency-Key."


@dataclass(frozen=True, kw_only=True)
class WorkflowRole:
    """The role with which API Gateway starts executions of the workflow, and its policy."""

    role: aws.iam.Role
    policy: aws.iam.RolePolicy
    """Permissions of the role. The API must not be deployed before the policy exists."""


def make_role(
    name: str,
    owner: Owner,
    *,
    account_id: pulumi.Input[str],
    state_machine_arn: pulumi.Input[str],
) -> WorkflowRole:
    """Create the role of API Gateway, which can only start synchronous executions of `state_machine_arn`."""
    role = aws.iam.Role(
        f"{name}-role",
        name=owner.name(name, kind="role"),
        # In practice, API Gateway sends no source account when it assumes the role of an integration. If the trust
        # policy required the source account, every request would fail with status 500. The role is safe without this
        # condition: iam:PassRole works only within one account, so other accounts cannot give the role to their APIs.
        assume_role_policy=trust("apigateway.amazonaws.com", source_account=account_id, allow_missing_source=True),
        tags=owner.tags(),
        opts=owner.opts(),
    )
    policy = aws.iam.RolePolicy(
        f"{name}-policy",
        name="permissions",
        role=role.name,
        policy=policy_document([allow("states:StartSyncExecution", on=state_machine_arn)]),
        opts=owner.opts(),
    )
    return WorkflowRole(role=role, policy=policy)


def integration_parts(
    *, region: str, state_machine_arn: pulumi.Input[str], role_arn: pulumi.Input[str], cors: CorsRules
) -> dict[str, Any]:
    """Return the integration and the responses of `POST /process`, for the OpenAPI document.

    `state_machine_arn` is the ARN of the EXPRESS state machine. The state machine's time limit must be shorter than the
    time for which API Gateway waits.
    """
    headers = cors.answer_headers
    templates = {status: (pattern, cors.origin_template + text) for status, (pattern, text) in _answers().items()}
    return answer_parts(
        headers,
        templates,
        headers_of={504: {"Retry-After": str(RETRY_AFTER_S)}},
        type="aws",
        httpMethod="POST",
        uri=f"arn:aws:apigateway:{region}:states:action/StartSyncExecution",
        credentials=role_arn,
        # With `never`, API Gateway returns 415 for a content type without a template. With `when_no_match`, API Gateway
        # would pass the body on without validation, because it validates only content types that have a model.
        passthroughBehavior="never",
        requestTemplates={JSON: request_template(state_machine_arn)},
    )


def request_template(state_machine_arn: pulumi.Input[str]) -> pulumi.Output[str]:
    """Return the mapping template that converts the HTTP request to a request of StartSyncExecution."""
    return pulumi.Output.from_input(state_machine_arn).apply(
        lambda arn: render(
            "process_request",
            state_machine_arn=arn,
            largest_body_bytes=LARGEST_BODY_BYTES,
            longest_base64=_LONGEST_BASE64,
        )
    )


def response_template() -> str:
    """Return the mapping template for the response after an execution.

    The response is the order, or an error with its HTTP status.
    """
    by_status: dict[int, list[str]] = {}
    for error, status in STATUS_OF_ERROR.items():
        by_status.setdefault(status, []).append(f"$error == '{error}'")
    cases = [f"#elseif({' || '.join(errors)})\n#set($http = {status})" for status, errors in by_status.items()]
    return render(
        "process_answer",
        failed=_FAILED,
        timed_out=_TIMED_OUT,
        undecided=_UNDECIDED,
        not_recorded=_NOT_RECORDED,
        retry_after_s=RETRY_AFTER_S,
        status_of_error="\n".join(cases),
    )


def _answers() -> dict[int, tuple[str | None, str]]:
    """Return {HTTP status for the client: (selection pattern, mapping template of the body)}.

    API Gateway selects the response whose pattern matches the HTTP status of Step Functions.
    """
    failed = error_body("InternalError", _FAILED)
    refused = render("process_refused", throttled=error_body("TooManyRequests", _THROTTLED), failed=failed)
    return {
        200: ("200", response_template()),
        429: ("4\\d{2}", refused),
        504: ("504", error_body("Timeout", _TIMED_OUT)),
        # This response has no pattern. API Gateway uses it if no pattern of another response matches.
        500: (None, failed),
    }
