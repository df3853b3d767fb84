"""Lists the cdk-nag and checkov checks of the program's resource types that no rule replaces, each with the reason."""

from __future__ import annotations

from typing import Final

_LATEST_RUNTIME: Final = (
    "The checks require the newest runtime. The functions use Python 3.13, which Lambda supports until 2029. A "
    "newer runtime would need new layers, because their packages are locked and compiled for Python 3.13."
)
_CACHE: Final = (
    "The checks require a cache for the REST API. Every response of this API belongs to one user, and most responses "
    "are orders, which change often. A cached response would therefore rarely be of use. A cache costs money per hour, "
    "and a wrong cache key would show the order of one user to another."
)
_BUCKET_LOGS: Final = (
    "The checks require access logs for each bucket. Only one role of the program has access to the bucket of "
    "analytics records, and it may only write objects (PutObject). The other bucket contains the pages of the site, "
    "which are public. Access logs would need a further bucket, and can miss requests, because S3 delivers them on a "
    "best-effort basis. To record who reads from a bucket, turn on CloudTrail data events."
)
_SITE_FIREWALL: Final = (
    "The checks require a web ACL for each CloudFront distribution. In stack prod, the web ACL of the REST API's stage "
    "also checks the requests that viewers send to this API through the site, and counts them by the viewers' IP "
    "addresses. All other requests read public files or go to the HTTP API, which requires a token. A second web ACL "
    "would check the same requests again for more money, and would have to exist in the region us-east-1."
)
_COUNTRIES: Final = (
    "The checks require a list of allowed or forbidden countries. The owner of the shop decides in which "
    "countries to sell. Security does not need the list, because customers in every country must sign in to order."
)
_SITE_LOGS: Final = (
    "The checks require access logs of CloudFront. API Gateway logs every request to an API, and all other requests "
    "read public files. Access logs would store the addresses of all visitors, in a further bucket."
)
_DEAD_LETTERS: Final = (
    "The checks require a dead-letter queue for each function. The rule "
    "`asynchronous-invocation-has-a-failure-destination` requires an on-failure destination instead, which receives "
    "each failed event together with its error. A dead-letter queue would receive a second copy of each event, without "
    "the error."
)
_OF_ANOTHER: Final = (
    "Each of these checks concerns a resource type that the platform does not have. The check reads other resources "
    "only to find out whether they use a resource of that type."
)

NOT_TAKEN: Final = {
    "AwsSolutions-CFR1": _COUNTRIES,
    "AwsSolutions-CFR2": _SITE_FIREWALL,
    "AwsSolutions-CFR3": _SITE_LOGS,
    "AwsSolutions-COG2": "The check requires MFA for all users. With MFA, every customer would need an authenticator "
    "app to sign in. The owner of the shop decides whether customers need one.",
    "AwsSolutions-COG7": "The check tests Cognito identity pools, and the platform has none.",
    "AwsSolutions-COG8": "The check requires the PLUS plan of Cognito, which AWS bills per user and month. If you "
    "need the plan, change userPoolTier in the program.",
    "AwsSolutions-L1": _LATEST_RUNTIME,
    "AwsSolutions-S1": _BUCKET_LOGS,
    "AwsSolutions-S5": "The check tests buckets that serve a website themselves. Only CloudFront reads the bucket with "
    "the pages of the site. The rule `distribution-reads-buckets-with-access-control` checks CloudFront's access.",
    "Serverless-AppSyncTracing": "The check tests AppSync APIs, and the platform has none.",
    "Serverless-LambdaDLQ": _DEAD_LETTERS,
    "Serverless-LambdaLatestVersion": _LATEST_RUNTIME,
    "CKV_AWS_18": _BUCKET_LOGS,
    "CKV_AWS_68": _SITE_FIREWALL,
    "CKV_AWS_86": _SITE_LOGS,
    "CKV_AWS_115": "The check requires reserved concurrency. AWS takes it from the concurrency that all other "
    "functions of the account share. The platform does not need reserved concurrency, because API throttling and "
    "the maximum concurrency of the event source mappings already limit how many invocations run at the same "
    "time.",
    "CKV_AWS_116": _DEAD_LETTERS,
    "CKV_AWS_117": "The check requires a VPC for each function. The functions need no resource in a VPC, because "
    "they call only AWS APIs, over TLS and with the credentials of their roles. With a VPC, these calls would need "
    "endpoints or NAT gateways, which cost money.",
    "CKV_AWS_119": "The check requires a customer managed key. The AWS managed KMS key for DynamoDB already "
    "encrypts the tables. With a customer managed key, every role that reads or writes a table would need KMS "
    "permissions, and the platform could not accept orders while the key is disabled.",
    "CKV_AWS_120": _CACHE,
    "CKV_AWS_143": "The check applies only to buckets with an object lock configuration. No bucket has one, because "
    "S3 must delete analytics records and former pages when they expire, and an object lock would prevent the "
    "deletion.",
    "CKV_AWS_144": "The check requires replication to another region. The buckets contain only copies. The "
    "analytics records repeat data of the orders table and the event archive, and a build can write the pages again. "
    "S3 stores each object in at least three Availability Zones. Replication would help only if the tables and APIs "
    "also existed in another region.",
    "CKV_AWS_173": "The check requires a customer managed key for environment variables. The variables contain no "
    "secrets, only values such as the names of tables and queues. The rule `function-environment-holds-no-secret` "
    "checks this.",
    "CKV_AWS_225": _CACHE,
    "CKV_AWS_272": "The check requires signed code. A signature proves that nobody replaced the code between the "
    "build and the upload. A signature would add little here: the same deployment builds and uploads the code, and no "
    "role of the program may change a function's code.",
    "CKV_AWS_310": "The check requires a second origin for each CloudFront distribution. The pages and the APIs exist "
    "in one region, so there is no second origin.",
    "CKV_AWS_374": _COUNTRIES,
    "CKV_AWS_393": "The check concerns roles that GitHub workflows assume. The program creates no such role, because "
    "you create the deployment roles outside of the program.",
    "CKV2_AWS_5": _OF_ANOTHER,
    "CKV2_AWS_10": _OF_ANOTHER,
    "CKV2_AWS_28": _OF_ANOTHER,
    "CKV2_AWS_33": _OF_ANOTHER,
    "CKV2_AWS_43": _OF_ANOTHER,
    "CKV2_AWS_47": _SITE_FIREWALL,
    "CKV2_AWS_65": "The check requires that ACLs are disabled. S3 disables ACLs on every new bucket unless "
    "ownership controls enable them, and the program declares no ownership controls.",
    "CKV2_AWS_68": _OF_ANOTHER,
    "CKV2_AWS_75": "The check tests function URLs, and no function has one.",
    "CKV2_AWS_76": _OF_ANOTHER,
    "CKV2_AWS_78": _OF_ANOTHER,
}
