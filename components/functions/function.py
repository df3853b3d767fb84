"""A Lambda function, declared in one call with its source, environment, permissions, time limit and memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.aws.iam import Statement, allow, policy_document, trust
from components.aws.messaging import make_queue, make_queue_policy
from components.aws.owner import Owner
from components.aws.stack_context import StackContext
from components.functions import archives

ALIAS = "live"


@dataclass(frozen=True, kw_only=True)
class FunctionContext(StackContext):
    """The settings that all functions of a stack share."""

    layer_arns: Sequence[pulumi.Input[str]]
    """ARNs of the layer versions. Lambda extracts them in this order, so a later layer overrides an earlier one."""
    architecture: str
    """CPU architecture: arm64 or x86_64. The layers must be built for the same architecture."""
    log_level: str
    """Log level of the functions: DEBUG, INFO, WARNING or ERROR."""
    provisioned_concurrency: Mapping[str, int] = field(default_factory=dict[str, int])
    """Number of execution environments that Lambda keeps initialized, by function. Unlisted functions have none."""
    overrides: Mapping[str, FunctionOverride] = field(default_factory=dict[str, "FunctionOverride"])
    """Time limits and memory that this stack overrides, by function."""
    built: Mapping[str, pulumi.FileArchive] = field(default_factory=dict[str, pulumi.FileArchive])
    """Archives of the functions, by their folders under functions/. The class Function builds any other archive."""

    def timeout_s(self, source: str, declared_s: int) -> int:
        """Return the time limit of the function `source` in seconds: `declared_s`, unless the stack overrides it."""
        override = self.overrides.get(source)
        return override.timeout_s if override and override.timeout_s is not None else declared_s

    def memory_mb(self, source: str, declared_mb: int) -> int:
        """Return the memory of the function `source` in MiB: `declared_mb`, unless the stack overrides it."""
        override = self.overrides.get(source)
        return override.memory_mb if override and override.memory_mb is not None else declared_mb


@dataclass(frozen=True, kw_only=True)
class FunctionOverride:
    """The time limit and memory that one stack sets for a function. None keeps the declared value."""

    timeout_s: int | None = None
    """Time limit in seconds, 1-900."""
    memory_mb: int | None = None
    """Memory in MiB, 128-10240."""


@dataclass(frozen=True, kw_only=True)
class CallerLimit:
    """The highest allowed time limit of a function: the function must end before its caller stops waiting."""

    at_most_s: int
    """The highest allowed time limit, in seconds."""
    because: str
    """Reason for the limit: what the caller does after this time, such as `API Gateway stops waiting after 29 s`."""


class TimeLimitError(pulumi.RunError):
    """A function could run for longer than its caller waits. Pulumi prints the message without a traceback."""


@dataclass(frozen=True, kw_only=True)
class AsynchronousInvocation:
    """Settings with which Lambda handles asynchronous invocations of a function."""

    success_topic_arn: pulumi.Input[str] | None = None
    """ARN of the SNS topic that Lambda notifies of each event that the function has handled. None for no topic."""
    maximum_event_age_s: int = 21_600
    """Longest age of an event in seconds, 60-21600. Lambda does not retry older events.

    A throttled attempt does not use up a retry. Lambda retries a throttled event until the event reaches this age.
    """
    maximum_retry_attempts: int = 2
    """Maximum number of retries of an event whose invocation failed, 0-2."""
    failure_queue: bool = True
    """Whether Lambda sends each event that it stops retrying, together with the error, to a failure queue.

    False only if another part of the platform repeats the work of each lost event.
    """
    dead_letter_queue: bool = False
    """Whether Lambda also sends a failed event, without its error, to a dead-letter queue."""


@dataclass(frozen=True, kw_only=True)
class FunctionArgs:
    """The source, size, environment and permissions of one function."""

    context: FunctionContext
    """Settings that all functions of the stack share."""
    component: str
    """The component that owns the function, for its tags."""
    source: str
    """Name of the folder under functions/, which is also the Python package, for example `users_api`."""
    timeout_s: int
    """Time limit of an invocation in seconds, 1-900. A stack can override this value."""
    memory_mb: int
    """Memory in MiB, 128-10240. Lambda assigns CPU in proportion to the memory. A stack can override this value."""
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    """Environment variables in addition to those of every function."""
    permissions: Sequence[Statement] = ()
    """Permissions in addition to those for writing logs and traces and for sending failed events."""
    asynchronous: AsynchronousInvocation | None = None
    """Settings for asynchronous invocations. None for a function that nothing invokes asynchronously."""
    caller_limit: CallerLimit | None = None
    """Upper bound of the time limit. None if no caller waits for the function."""
    raises_business_errors: bool = False
    """True if the function raises errors on purpose. In this case, no alarm watches the function's errors."""


class Function(pulumi.ComponentResource):
    """A function with its role, its log group, its failure queues, and the alias `live` that every caller uses."""

    source: str
    """Folder under functions/."""
    raises_business_errors: bool
    """True if the function raises errors on purpose."""
    function_name: pulumi.Output[str]
    """Physical name of the function."""
    arn: pulumi.Output[str]
    """ARN of the alias."""
    invoke_arn: pulumi.Output[str]
    """URI with which API Gateway invokes the alias."""
    role_name: pulumi.Output[str]
    """Name of the execution role."""
    role_arn: pulumi.Output[str]
    """ARN of the execution role."""
    log_group_name: pulumi.Output[str]
    """Name of the CloudWatch log group."""
    dead_letter_queue: aws.sqs.Queue | None
    """Dead-letter queue: receives failed events without their error. None unless `args.asynchronous` requests it."""
    failure_queue: aws.sqs.Queue | None
    """On-failure destination: receives failed events with their error. None unless `args.asynchronous` requests it."""
    is_asynchronous: bool
    """Whether services invoke the function asynchronously (`args.asynchronous` is set)."""

    def __init__(self, name: str, args: FunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        self._timeout_s = _checked_timeout_s(args)
        super().__init__("orders:index:Function", name, None, opts)
        self._name, self._args = name, args
        self._owner = Owner(naming=args.context.naming, component=args.component, parent=self)
        self.source, self.raises_business_errors = args.source, args.raises_business_errors
        self.alias_name = ALIAS
        self.is_asynchronous = args.asynchronous is not None
        # Lambda sends only failed asynchronous invocations to the two queues below, so other functions have no queues.
        copies = args.asynchronous is not None and args.asynchronous.dead_letter_queue
        reports = args.asynchronous is not None and args.asynchronous.failure_queue
        self.dead_letter_queue = self._make_queue(f"{name}-dlq") if copies else None
        self.failure_queue = self._make_queue(f"{name}-failures") if reports else None
        self._log_group = self._make_log_group()
        self._role = self._make_role()
        self._policy = self._make_policy()
        function = self._make_function()
        self._alias = self._make_alias(function)
        self._make_alias_settings()

        self.function_name = function.name
        self.arn = self._alias.arn
        self.invoke_arn = self._alias.invoke_arn
        self.role_name = self._role.name
        self.role_arn = self._role.arn
        self.log_group_name = self._log_group.name
        self.register_outputs({"functionName": self.function_name, "arn": self.arn})

    def make_permission(self, caller: str, *, principal: str, source_arn: pulumi.Input[str]) -> aws.lambda_.Permission:
        """Let the service `principal` invoke the alias, but only on behalf of `source_arn`.

        `caller` is the last part of the permission's logical name.
        """
        return aws.lambda_.Permission(
            f"{self._name}-{caller}",
            action="lambda:InvokeFunction",
            function=self.function_name,
            qualifier=self._alias.name,
            principal=principal,
            source_arn=source_arn,
            statement_id=caller,
            opts=self._owner.opts(),
        )

    def _make_queue(self, name: str) -> aws.sqs.Queue:
        made = make_queue(name, self._owner)
        make_queue_policy(name, made, self._owner)
        return made

    def _make_log_group(self) -> aws.cloudwatch.LogGroup:
        context = self._args.context
        return aws.cloudwatch.LogGroup(
            f"{self._name}-log",
            name=f"/aws/lambda/{self._owner.name(self._name, kind='function')}",
            retention_in_days=context.log_retention_days,
            kms_key_id=context.log_key_arn,
            tags=self._owner.tags(),
            opts=self._owner.opts(),
        )

    def _make_role(self) -> aws.iam.Role:
        return aws.iam.Role(
            f"{self._name}-role",
            name=self._owner.name(self._name, kind="role"),
            # AWS does not document whether Lambda always sends the source account when it assumes a role, so the trust
            # policy also allows requests without the source account.
            assume_role_policy=trust(
                "lambda.amazonaws.com", source_account=self._args.context.account_id, allow_missing_source=True
            ),
            tags=self._owner.tags(),
            opts=self._owner.opts(),
        )

    def _make_policy(self) -> aws.iam.RolePolicy:
        args = self._args
        failures = [made.arn for made in (self.dead_letter_queue, self.failure_queue) if made]
        statements = [
            # The log group is created before the function, so the role does not need the permission
            # logs:CreateLogGroup.
            allow(
                "logs:CreateLogStream",
                "logs:PutLogEvents",
                on=pulumi.Output.concat(self._log_group.arn, ":log-stream:*"),
            ),
            allow(
                "xray:PutTraceSegments",
                "xray:PutTelemetryRecords",
                on="*",
                because="X-Ray does not support resource-level permissions for writing traces",
            ),
        ]
        if failures:
            statements.append(allow("sqs:SendMessage", on=failures))
        if args.asynchronous and args.asynchronous.success_topic_arn:
            statements.append(allow("sns:Publish", on=args.asynchronous.success_topic_arn))
        return aws.iam.RolePolicy(
            f"{self._name}-policy",
            name="permissions",
            role=self._role.name,
            policy=policy_document([*statements, *args.permissions]),
            opts=self._owner.opts(),
        )

    def _make_function(self) -> aws.lambda_.Function:
        args, context = self._args, self._args.context
        shared = {
            "POWERTOOLS_SERVICE_NAME": context.naming.project,
            "POWERTOOLS_METRICS_NAMESPACE": f"{context.naming.project}-{context.naming.stack}",
            "LOG_LEVEL": context.log_level,
        }
        return aws.lambda_.Function(
            self._name,
            name=self._owner.name(self._name, kind="function"),
            role=self._role.arn,
            runtime=archives.RUNTIME,
            architectures=[context.architecture],
            handler=f"{args.source}.handler.lambda_handler",
            code=context.built.get(args.source) or archives.function_archive(args.source),
            layers=list(context.layer_arns),
            timeout=self._timeout_s,
            memory_size=context.memory_mb(args.source, args.memory_mb),
            environment={"variables": {**shared, **args.environment}},
            tracing_config={"mode": "Active"},
            dead_letter_config={"target_arn": self.dead_letter_queue.arn} if self.dead_letter_queue else None,
            # Powertools already writes JSON. With Lambda's log format JSON, Lambda would wrap each line in another JSON
            # object, and CloudWatch would not find the EMF metrics in it.
            logging_config={"log_format": "Text", "log_group": self._log_group.name},
            publish=True,
            tags=self._owner.tags(),
            # Lambda refuses a dead-letter queue that the role cannot send to, so the role's policy must exist first.
            opts=self._owner.opts(depends_on=[self._policy]),
        )

    def _make_alias(self, function: aws.lambda_.Function) -> aws.lambda_.Alias:
        return aws.lambda_.Alias(
            f"{self._name}-{ALIAS}",
            name=ALIAS,
            function_name=function.name,
            function_version=function.version,
            opts=self._owner.opts(),
        )

    def _make_alias_settings(self) -> None:
        args, asynchronous = self._args, self._args.asynchronous
        if provisioned := args.context.provisioned_concurrency.get(args.source):
            aws.lambda_.ProvisionedConcurrencyConfig(
                f"{self._name}-provisioned",
                function_name=self._alias.function_name,
                qualifier=self._alias.name,
                provisioned_concurrent_executions=provisioned,
                opts=self._owner.opts(),
            )
        if asynchronous:
            destinations: aws.lambda_.FunctionEventInvokeConfigDestinationConfigArgsDict = {}
            if self.failure_queue:
                destinations["on_failure"] = {"destination": self.failure_queue.arn}
            if asynchronous.success_topic_arn:
                destinations["on_success"] = {"destination": asynchronous.success_topic_arn}
            aws.lambda_.FunctionEventInvokeConfig(
                f"{self._name}-invocation",
                function_name=self._alias.function_name,
                qualifier=self._alias.name,
                maximum_event_age_in_seconds=asynchronous.maximum_event_age_s,
                maximum_retry_attempts=asynchronous.maximum_retry_attempts,
                destination_config=destinations or None,
                opts=self._owner.opts(),
            )


def _checked_timeout_s(args: FunctionArgs) -> int:
    """Return the time limit of the function in its stack.

    Raises TimeLimitError if the function could run for longer than its caller waits.
    """
    timeout_s = args.context.timeout_s(args.source, args.timeout_s)
    if args.caller_limit:
        _check_timeout(args.source, timeout_s, args.caller_limit)
    return timeout_s


def check_overrides(overrides: Mapping[str, FunctionOverride], limits: Mapping[str, CallerLimit]) -> None:
    """Check the time limits in a stack's `overrides`. Call this function before the program creates the first resource.

    Both arguments have function names as keys. `limits` contains the highest allowed time limits. Raises TimeLimitError
    if a function could run for longer than its caller waits.
    """
    for source, override in overrides.items():
        if override.timeout_s and (limit := limits.get(source)):
            _check_timeout(source, override.timeout_s, limit)


def _check_timeout(source: str, timeout_s: int, limit: CallerLimit) -> None:
    if timeout_s > limit.at_most_s:
        raise TimeLimitError(
            f"timeout of {source}: got {timeout_s} s; allowed: at most {limit.at_most_s} s, because "
            f"{limit.because}; lower the timeout where the function is declared, or in functions.overrides in the "
            "stack file"
        )


def by_source(*functions: Function) -> dict[str, Function]:
    """Return {folder: function} for `functions`."""
    return {function.source: function for function in functions}
