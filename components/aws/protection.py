"""Protects resources whose replacement would lose data, or would change URLs or ids that clients have stored."""

from __future__ import annotations

from typing import Final

import pulumi

IRREPLACEABLE: Final = frozenset(
    {
        # These resources contain data: rows, records, user accounts, events, and work that waits in a queue.
        "aws:dynamodb/table:Table",
        "aws:s3/bucket:Bucket",
        "aws:cognito/userPool:UserPool",
        "aws:cognito/userGroup:UserGroup",
        "aws:cloudwatch/eventArchive:EventArchive",
        "aws:sqs/queue:Queue",
        # The log groups contain the audit trail. Without their KMS keys, nobody could read the logs.
        "aws:cloudwatch/logGroup:LogGroup",
        "aws:kms/key:Key",
        # Frontends store the URLs or ids of these resources. If such a resource is replaced, its URL or id changes.
        "aws:apigateway/restApi:RestApi",
        "aws:apigatewayv2/api:Api",
        "aws:cognito/userPoolClient:UserPoolClient",
        "aws:cognito/userPoolDomain:UserPoolDomain",
        "aws:cloudfront/distribution:Distribution",
        # If a custom domain is replaced, AWS generates a new target name for it, but the DNS record of the domain still
        # points to the old target name.
        "aws:apigateway/domainName:DomainName",
        "aws:apigatewayv2/domainName:DomainName",
    }
)
"""Types of the resources that a stack with `deletionProtection` must not lose."""


def protect_irreplaceable() -> None:
    """Protect every resource of the types in IRREPLACEABLE that the program declares after this call.

    Pulumi then refuses to delete or to replace the resource.
    """
    pulumi.runtime.register_stack_transformation(_protect)


def _protect(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    if args.type_ not in IRREPLACEABLE:
        return None
    opts = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(protect=True))
    return pulumi.ResourceTransformationResult(props=args.props, opts=opts)
