"""For each rule: changes to resources of the stack prod that break the rule, and the resource that the rule reports.

Waivers allow some resources of prod to break a rule. For such a resource, MENDINGS contains a change after which the
resource obeys the rule. A test checks that the rule reports the resource before the change, but not after it.
"""

from __future__ import annotations

from typing import Final

from aws_rules.buckets import ENCRYPTION, NOTIFICATION
from tests.policy import breakages_of_apis, breakages_of_sites
from tests.policy.stacks import Change, allow, change, drop, plus, put, statement, without
from tests.support.graph import ACCOUNT

_FUNCTIONS: Final[dict[str, list[tuple[str, Change]]]] = {
    "function-runs-on-a-supported-runtime": [("users-api", put("Function users-api", "runtime", value="python3.8"))],
    "function-is-traced": [
        ("users-api", drop("Function users-api", "tracingConfig")),
        ("users-api", put("Function users-api", "tracingConfig", "mode", value="PassThrough")),
    ],
    "function-states-its-memory": [("users-api", drop("Function users-api", "memorySize"))],
    "function-states-its-timeout": [("users-api", drop("Function users-api", "timeout"))],
    "function-environment-holds-no-secret": [
        ("users-api", put("Function users-api", "environment", "variables", "API_KEY", value="short")),
        (
            "users-api",
            put("Function users-api", "environment", "variables", "CALLER", value="AKIA" + "Q" * 16),
        ),
    ],
    "function-is-invoked-by-one-source": [
        ("users-api-rest-api-users", drop("Permission users-api-rest-api-users", "sourceArn"))
    ],
    "function-is-not-public": [
        ("users-api-rest-api-users", put("Permission users-api-rest-api-users", "principal", value="*"))
    ],
    "asynchronous-invocation-has-a-failure-destination": [
        (
            "process-order-invocation",
            drop("FunctionEventInvokeConfig process-order-invocation", "destinationConfig", "onFailure"),
        )
    ],
    "event-source-has-a-failure-destination": [
        ("publish-order-events-stream", drop("EventSourceMapping publish-order-events-stream", "destinationConfig")),
        (
            "new",
            plus(
                "aws:lambda/eventSourceMapping:EventSourceMapping",
                {"eventSourceArn": "arn"},
                eventSourceArn="Queue process-order-dlq",
            ),
        ),
    ],
}
_DATA: Final[dict[str, list[tuple[str, Change]]]] = {
    "table-can-be-restored": [
        ("data-orders", put("Table data-orders", "pointInTimeRecovery", "enabled", value=False)),
    ],
    "table-scales": [("data-orders", put("Table data-orders", "billingMode", value="PROVISIONED"))],
    "bucket-is-closed-to-the-public": [
        (
            "data-analytics",
            put("BucketPublicAccessBlock data-analytics-private", "restrictPublicBuckets", value=False),
        ),
        ("data-analytics", without("BucketPublicAccessBlock data-analytics-private")),
    ],
    "bucket-has-no-public-acl": [("data-analytics", put("Bucket data-analytics", "acl", value="public-read"))],
    "bucket-refuses-plain-http": [
        ("data-analytics", without("BucketPolicy data-analytics-policy")),
        ("data-analytics", statement("BucketPolicy data-analytics-policy", lambda s: s["Resource"].pop())),
        (
            "data-analytics",
            statement("BucketPolicy data-analytics-policy", lambda s: s.update(Action="s3:GetObject")),
        ),
    ],
    "bucket-is-encrypted-with-kms": [
        (
            "data-analytics",
            put(
                "BucketServerSideEncryptionConfiguration data-analytics-encryption",
                "rules",
                value=[{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}],
            ),
        )
    ],
    "bucket-keeps-versions": [
        (
            "data-analytics",
            put("BucketVersioning data-analytics-versions", "versioningConfiguration", "status", value="Suspended"),
        )
    ],
    "bucket-tells-of-its-changes": [("data-analytics", without("BucketNotification data-analytics-changes"))],
    "bucket-expires-objects": [("data-analytics", without("BucketLifecycleConfiguration data-analytics-lifecycle"))],
    "bucket-drops-broken-uploads": [
        (
            "data-analytics-lifecycle",
            change(
                "BucketLifecycleConfiguration data-analytics-lifecycle",
                lambda props: props["rules"][0].pop("abortIncompleteMultipartUpload"),
            ),
        )
    ],
    "bucket-admits-named-principals": [
        (
            "data-analytics-policy",
            allow("BucketPolicy data-analytics-policy", Principal={"AWS": ["*"]}, Action="s3:GetObject", Resource="*"),
        )
    ],
    "bucket-locks-nobody-out": [
        (
            "new",
            plus(
                "aws:s3/bucketPolicy:BucketPolicy",
                {"policy": '{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}}'},
                bucket="Bucket data-analytics",
            ),
        )
    ],
}
_MESSAGES: Final[dict[str, list[tuple[str, Change]]]] = {
    "queue-is-encrypted": [
        ("analytics", drop("Queue analytics", "sqsManagedSseEnabled")),
        (
            "analytics",
            change("Queue analytics", lambda p: p.update(sqsManagedSseEnabled=False, kmsMasterKeyId="alias/aws/sqs")),
        ),
    ],
    "queue-has-a-dead-letter-queue": [
        ("process-order-delivery", without("EventTarget process-order-target")),
    ],
    "queue-refuses-plain-http": [
        ("analytics-dlq", without("QueuePolicy analytics-dlq-policy")),
        (
            "analytics-dlq",
            statement("QueuePolicy analytics-dlq-policy", lambda s: s.update(Principal={"AWS": ACCOUNT})),
        ),
        ("analytics-dlq", statement("QueuePolicy analytics-dlq-policy", lambda s: s.update(Resource=["arn:other"]))),
        ("analytics-dlq", statement("QueuePolicy analytics-dlq-policy", lambda s: s.update(Condition={}))),
    ],
    "queue-admits-named-principals": [
        ("analytics-policy", statement("QueuePolicy analytics-policy", lambda s: s.update(Principal="*"))),
    ],
    "queue-policy-names-each-action": [
        ("analytics-policy", statement("QueuePolicy analytics-policy", lambda s: s.update(Action="sqs:*"))),
    ],
    "topic-is-encrypted": [("alarms", drop("Topic alarms", "kmsMasterKeyId"))],
    "topic-refuses-plain-http": [("order-successes", without("TopicPolicy order-successes-policy"))],
    "topic-admits-named-principals": [
        ("alarms-policy", statement("TopicPolicy alarms-policy", lambda s: s.update(Principal="*"))),
    ],
    "topic-admits-its-own-account": [
        (
            "alarms-policy",
            statement(
                "TopicPolicy alarms-policy", lambda s: s.update(Principal={"AWS": "arn:aws:iam::210987654321:root"})
            ),
        ),
    ],
    "subscription-has-a-dead-letter-queue": [
        ("new", plus("aws:sns/topicSubscription:TopicSubscription", {"protocol": "sqs"}, topic="Topic alarms")),
    ],
    "event-target-has-a-dead-letter-queue": [
        ("send-email-target", put("EventTarget send-email-target", "deadLetterConfig", value={})),
    ],
    "event-bus-admits-named-principals": [
        (
            "new",
            plus(
                "aws:cloudwatch/eventBusPolicy:EventBusPolicy",
                {"policy": '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "events:PutEvents"}]}'},
            ),
        ),
        ("new", plus("aws:cloudwatch/eventPermission:EventPermission", {"principal": "*"})),
    ],
}
_MACHINES_AND_RIGHTS: Final[dict[str, list[tuple[str, Change]]]] = {
    "state-machine-logs-every-event": [
        (
            "order-workflow-standard",
            put("StateMachine order-workflow-standard", "loggingConfiguration", "level", value="ERROR"),
        ),
    ],
    "state-machine-logs-its-data": [
        (
            "order-workflow-express",
            put("StateMachine order-workflow-express", "loggingConfiguration", "includeExecutionData", value=False),
        ),
    ],
    "state-machine-is-traced": [
        ("order-workflow-express", drop("StateMachine order-workflow-express", "tracingConfiguration")),
    ],
    "role-has-no-managed-policy": [
        ("users-api-role", put("Role users-api-role", "managedPolicyArns", value=["arn:aws:iam::aws:policy/X"])),
        (
            "new",
            plus(
                "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
                {"policyArn": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"},
            ),
        ),
    ],
    "role-policy-names-each-action": [
        ("users-api-policy", allow("RolePolicy users-api-policy", Action="dynamodb:*", Resource="arn:a:table/x")),
        ("users-api-policy", allow("RolePolicy users-api-policy", NotAction="dynamodb:Scan", Resource="arn:a:table/x")),
    ],
    "role-policy-names-each-resource": [
        ("users-api-policy", allow("RolePolicy users-api-policy", Action="dynamodb:GetItem", Resource="*")),
        ("users-api-policy", allow("RolePolicy users-api-policy", Action="s3:GetObject", Resource="arn:aws:s3:::*/a")),
        (
            "send-email-policy",
            statement("RolePolicy send-email-policy", lambda s: s.pop("Condition")),
        ),
    ],
    "role-policy-gives-no-power": [
        ("users-api-policy", allow("RolePolicy users-api-policy", Action="iam:PassRole", Resource="arn:a:role/x")),
        ("users-api-policy", allow("RolePolicy users-api-policy", Action="sqs:AddPermission", Resource="arn:a:x")),
    ],
    "role-trusts-named-principals": [
        (
            "users-api-role",
            statement("Role users-api-role", lambda s: s.update(Principal={"AWS": "*"}), key="assumeRolePolicy"),
        ),
        (
            "users-api-role",
            statement(
                "Role users-api-role",
                lambda s: s.update(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}),
                key="assumeRolePolicy",
            ),
        ),
    ],
    "key-is-rotated": [("alarms-key", put("Key alarms-key", "enableKeyRotation", value=False))],
    "key-is-enabled": [("alarms-key", put("Key alarms-key", "isEnabled", value=False))],
    "key-admits-named-principals": [
        ("alarms-key", statement("Key alarms-key", lambda s: s.update(Principal="*"))),
        ("alarms-key", drop("Key alarms-key", "policy")),
    ],
    "log-group-expires": [("users-api-log", drop("LogGroup users-api-log", "retentionInDays"))],
    "log-group-keeps-a-year": [("users-api-log", put("LogGroup users-api-log", "retentionInDays", value=90))],
    "log-group-has-a-customer-key": [("users-api-log", drop("LogGroup users-api-log", "kmsKeyId"))],
    "alarm-acts": [
        ("observability-users-api-errors", put("MetricAlarm observability-users-api-errors", "alarmActions", value=[])),
        (
            "observability-users-api-errors",
            put("MetricAlarm observability-users-api-errors", "actionsEnabled", value=False),
        ),
    ],
}
BREAKAGES: Final = {
    **_FUNCTIONS,
    **breakages_of_apis.BREAKAGES,
    **breakages_of_sites.BREAKAGES,
    **_DATA,
    **_MESSAGES,
    **_MACHINES_AND_RIGHTS,
}

MENDINGS: Final[dict[str, tuple[str, Change]]] = {
    "role-policy-names-each-resource": (
        "rest-api-log-policy",
        statement("RolePolicy rest-api-log-policy", lambda s: s.update(Resource="arn:aws:logs:r:1:log-group:a:b")),
    ),
    "bucket-is-encrypted-with-kms": (
        "site-pages",
        plus(
            ENCRYPTION,
            {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms"}}]},
            bucket="Bucket site-pages",
        ),
    ),
    "bucket-tells-of-its-changes": (
        "site-pages",
        plus(NOTIFICATION, {"eventbridge": True}, bucket="Bucket site-pages"),
    ),
}
