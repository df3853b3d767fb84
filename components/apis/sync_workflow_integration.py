"""`POST /process`: API Gateway starts the Express workflow itself and turns its end into an HTTP answer.

StartSyncExecution answers 200 whether the execution succeeded or not, so the response template sets the status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.apis.api_snapshot import ApiSnapshot
from components.apis.cors import CorsRules, integration_response_headers, method_response_headers
from components.apis.mapping_templates import JSON, error_body, error_body_of, escaped, header_value
from components.apis.rest_routes import INTEGRATION_TIMEOUT_MS
from components.aws.iam import allow, policy_document, trust
from components.functions.function import FunctionContext

# The workflow's named Fail states and their HTTP statuses. Any other error is 500 InternalError without its cause,
# which may say how the platform is built.
STATUS_OF_ERROR: Final[Mapping[str, int]] = {
    "ValidationError": 400,
    "ProductNotFound": 404,
    "IdempotencyConflict": 409,
    "InvalidTransition": 409,
    "OutOfStock": 409,
    "PayloadTooLarge": 413,
    "UnsupportedMediaType": 415,
}
# As the functions have it.
_LARGEST_BODY_BYTES: Final = 16 * 1024
# Velocity tells the length of a text in characters. In base64 each three bytes are four, and with two more the limit is
# a multiple of three, so that one byte above it is a longer text.
_PADDING: Final = ".."
_LONGEST_BASE64: Final = (_LARGEST_BODY_BYTES + len(_PADDING)) // 3 * 4
_FAILED: Final = "The order could not be processed; repeat the request with the same Idempotency-Key."
_TIMED_OUT: Final = "The order was not decided in time; repeat the request with the same Idempotency-Key."
_THROTTLED: Final = "Too many requests; wait, then repeat it with the same Idempotency-Key."


@dataclass(frozen=True, kw_only=True)
class SyncWorkflowIntegrationArgs:
    """What answers the operation, and where."""

    context: FunctionContext
    """Names, tags and region of the stack."""
    component: str
    """The capability that owns it, for its tags."""
    method: aws.apigateway.Method
    """The method to answer."""
    state_machine_arn: pulumi.Input[str]
    """The Express machine, of a shorter timeout than API Gateway's 29 s."""
    cors: CorsRules
    """Who may read the answers."""
    deployed: ApiSnapshot
    """The deployment that all of it belongs to."""


def integrate_sync_workflow(name: str, args: SyncWorkflowIntegrationArgs, parent: pulumi.Resource) -> None:
    """Make the integration, its role and its answers."""
    target: dict[str, Any] = {
        "rest_api": args.method.rest_api,
        "resource_id": args.method.resource_id,
        "http_method": args.method.http_method,
    }
    role = _role(name, args, parent)
    integration = args.deployed.add(
        aws.apigateway.Integration,
        f"{name}-integration",
        **target,
        type="AWS",
        integration_http_method="POST",
        uri=f"arn:aws:apigateway:{args.context.region}:states:action/StartSyncExecution",
        credentials=role.arn,
        timeout_milliseconds=INTEGRATION_TIMEOUT_MS,
        # Another content type has no template and no model, so nobody would have checked its body: 415.
        passthrough_behavior="NEVER",
        request_templates={JSON: request_template(args.state_machine_arn)},
        opts=pulumi.ResourceOptions(parent=parent),
    )
    headers = args.cors.answer_headers
    for status, (pattern, template) in _answers().items():
        response = args.deployed.add(
            aws.apigateway.MethodResponse,
            f"{name}-{status}",
            **target,
            status_code=str(status),
            response_parameters=method_response_headers(headers),
            opts=pulumi.ResourceOptions(parent=parent),
        )
        args.deployed.add(
            aws.apigateway.IntegrationResponse,
            f"{name}-{status}-integration",
            **target,
            status_code=response.status_code,
            selection_pattern=pattern,
            response_parameters=integration_response_headers(headers),
            response_templates={JSON: args.cors.origin_template + template},
            opts=pulumi.ResourceOptions(parent=parent, depends_on=[integration]),
        )


def _role(name: str, args: SyncWorkflowIntegrationArgs, parent: pulumi.Resource) -> aws.iam.Role:
    naming = args.context.naming
    role = aws.iam.Role(
        f"{name}-role",
        name=naming.physical(name, kind="role"),
        # If sent: seen on AWS, API Gateway sends no source when it takes an integration's role, and a plain condition
        # makes every request a 500. What keeps other accounts out then is iam:PassRole, which ends at the account.
        assume_role_policy=trust(
            "apigateway.amazonaws.com", source_account=args.context.account_id, allow_missing_source=True
        ),
        tags=naming.tags(args.component),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    policy = aws.iam.RolePolicy(
        f"{name}-policy",
        name="permissions",
        role=role.name,
        policy=policy_document([allow("states:StartSyncExecution", on=args.state_machine_arn)]),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    args.deployed.resources.append(policy)
    return role


def request_template(state_machine_arn: pulumi.Input[str]) -> pulumi.Output[str]:
    """Return the template that makes StartSyncExecution's request of the HTTP request.

    `input` is JSON text inside JSON: the body is escaped once, and a string value inside it twice. Without their
    headers there is no `idempotency_key` and no `content_type`; what they hold is judged by the workflow's first step.
    A body that is too large may be too large for Step Functions too, so it is not passed on.
    """
    user, key, kind = (escaped(escaped(name)) for name in ("$context.authorizer.claims.sub", "$key", "$kind"))
    body = escaped("$input.json('$')")
    request = (
        rf"\"user_id\":\"{user}\","
        rf"#if($has_key)\"idempotency_key\":\"{key}\",#end"
        rf"#if($has_kind)\"content_type\":\"{kind}\",#end"
        rf"#if($is_too_large)\"too_large\":true#else\"content\":{body}#end"
    )
    return pulumi.Output.concat(
        header_value("key", "idempotency-key"),
        "\n",
        header_value("kind", "content-type"),
        "\n",
        _too_large(),
        '\n{"stateMachineArn": "',
        state_machine_arn,
        rf'", "input": "{{\"request\":{{{request}}}}}"}}',
    )


def _too_large() -> str:
    """Return the template lines that say in `$is_too_large` whether the body is larger than any valid one."""
    return "\n".join(
        (
            "#set($is_too_large = false)",
            f"#if($input.body.length() > {_LARGEST_BODY_BYTES})",
            "#set($is_too_large = true)",
            f'#elseif($util.base64Encode("{_PADDING}$input.body").length() > {_LONGEST_BASE64})',
            "#set($is_too_large = true)",
            "#end",
        )
    )


def _answers() -> dict[int, tuple[str | None, str]]:
    """Return selection pattern and template by status; the pattern is matched with the status of Step Functions."""
    throttled = "\n".join(
        (
            # Step Functions says 400 to what it throttles and to what is wrong with the request, which is our fault.
            "#if($input.path('$.__type').contains('Throttling'))",
            error_body("TooManyRequests", _THROTTLED),
            "#else",
            "#set($context.responseOverride.status = 500)",
            error_body("InternalError", _FAILED),
            "#end",
        )
    )
    return {
        200: ("200", response_template()),
        429: ("4\\d{2}", throttled),
        504: ("504", error_body("Timeout", _TIMED_OUT)),
        # Without a pattern: whatever no other one took.
        500: (None, error_body("InternalError", _FAILED)),
    }


def response_template() -> str:
    """Return the template for an execution that ended: the order, or the error under its true status.

    The status is set once, at the end: AWS answers 5xx to a template that overrides it twice.
    """
    by_status: dict[int, list[str]] = {}
    for error, status in STATUS_OF_ERROR.items():
        by_status.setdefault(status, []).append(f"$error == '{error}'")
    cause = escaped("$input.path('$.cause')")
    lines = [
        "#set($status = $input.path('$.status'))",
        "#if($status == 'SUCCEEDED')",
        "$input.path('$.output')",
        "#else",
        "#set($error = $input.path('$.error'))",
        "#set($http = 500)",
        "#set($code = 'InternalError')",
        f"#set($message = '{_FAILED}')",
        "#if($status == 'TIMED_OUT')",
        "#set($http = 504)",
        "#set($code = 'Timeout')",
        f"#set($message = '{_TIMED_OUT}')",
    ]
    for status, errors in by_status.items():
        lines += [f"#elseif({' || '.join(errors)})", f"#set($http = {status})"]
    lines += [
        "#end",
        "#if($http < 500)",
        "#set($code = $error)",
        f"#set($message = {cause})",
        "#end",
        "#set($context.responseOverride.status = $http)",
        error_body_of("$code", "$message"),
        "#end",
    ]
    return "\n".join(lines)
