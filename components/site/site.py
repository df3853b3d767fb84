"""The web site of the shop on AWS: one CloudFront distribution serves the pages and both APIs on one domain.

For a browser, the pages and the APIs therefore have the same origin. It sends no preflight requests, and scripts can
read every response, including errors that API Gateway itself returns
(docs/decisions/31-one-origin-for-site-and-apis.md).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.iam import deny_insecure_transport
from components.aws.naming import Naming
from components.aws.owner import Owner
from components.site.own_domain import OwnDomain, make_certificate, make_records

_COMPONENT: Final = "site"
VIEWER_REQUEST: Final = Path(__file__).with_name("viewer_request.js")
"""Code of the CloudFront function."""
CONTENT_SECURITY_POLICY: Final[list[str]] = json.loads(
    Path(__file__).with_name("content_security_policy.json").read_text(encoding="utf-8")
)
"""Directives of the header Content-Security-Policy, also for the local shop. ${sign_in} stands for the sign-in URLs."""
VIEWER_ADDRESS_HEADER: Final = "x-viewer-address"
"""Header in which the CloudFront function passes the viewer's IP address to the APIs."""
REST_PATH: Final = "/api/rest"
"""Path of the REST API on the site."""
HTTP_PATH: Final = "/api/http"
"""Path of the HTTP API on the site."""
# These policies belong to AWS, so their ids are the same in every account (Amazon CloudFront Developer Guide, "Use
# managed cache policies" and "Use managed origin request policies").
_CACHING_OPTIMIZED: Final = "658327ea-f89d-4fab-a63d-7e88639e58f6"
_CACHING_DISABLED: Final = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
_ALL_VIEWER_EXCEPT_HOST_HEADER: Final = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
_READ: Final = ("GET", "HEAD")
_ALL_METHODS: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_DAYS_OF_EARLIER_VERSIONS: Final = 30
_YEAR_S: Final = 365 * 86_400


@dataclass(frozen=True, kw_only=True)
class SiteArgs:
    """The APIs behind the site, and the site's own domain."""

    naming: Naming
    """Names and tags of the stack."""
    account_id: pulumi.Input[str]
    """AWS account id, part of the bucket name because all accounts share one namespace of bucket names."""
    region: str
    """AWS region of the APIs."""
    rest_api_id: pulumi.Input[str]
    """Id of the REST API."""
    rest_api_stage: pulumi.Input[str]
    """Name of the stage of the REST API, the first part of each path of the API."""
    http_api_id: pulumi.Input[str]
    """Id of the HTTP API. Its default stage is not part of its paths."""
    sign_in_urls: Sequence[pulumi.Input[str]]
    """Origins to which the pages send requests to sign users in."""
    force_destroy: bool
    """Let `pulumi destroy` delete the bucket even if it contains the pages."""
    own_domain: OwnDomain | None = None
    """Domain of the site. None for the domain that CloudFront assigns."""


class Site(pulumi.ComponentResource):
    """A private bucket with the pages, and the distribution that serves the pages and the APIs."""

    url: pulumi.Output[str]
    """URL of the site, without a trailing slash."""
    bucket_name: pulumi.Output[str]
    """Name of the bucket that contains the pages."""
    distribution_id: pulumi.Output[str]
    """Id of the distribution, which a cache invalidation needs."""

    def __init__(self, name: str, args: SiteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:Site", name, None, opts)
        self._name, self._args = name, args
        self._owner = Owner(naming=args.naming, component=_COMPONENT, parent=self)
        bucket = self._make_bucket()
        distribution = self._make_distribution(bucket)
        self._allow_reads(bucket, distribution)
        if args.own_domain:
            make_records(name, args.own_domain, distribution, self._owner)
        domain = args.own_domain.name if args.own_domain else distribution.domain_name
        self.url = pulumi.Output.concat("https://", domain)
        self.bucket_name, self.distribution_id = bucket.bucket, distribution.id
        self.register_outputs({"url": self.url, "bucket": self.bucket_name, "distributionId": self.distribution_id})

    def _make_bucket(self) -> aws.s3.Bucket:
        child = self._owner.opts()
        bucket = aws.s3.Bucket(
            f"{self._name}-pages",
            bucket=pulumi.Output.concat(self._owner.name("site"), "-", self._args.account_id),
            force_destroy=self._args.force_destroy,
            tags=self._owner.tags(),
            opts=child,
        )
        aws.s3.BucketPublicAccessBlock(
            f"{self._name}-pages-private",
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        versioning = aws.s3.BucketVersioning(
            f"{self._name}-pages-versions",
            bucket=bucket.bucket,
            versioning_configuration={"status": "Enabled"},
            opts=child,
        )
        aws.s3.BucketLifecycleConfiguration(
            f"{self._name}-pages-lifecycle",
            bucket=bucket.bucket,
            rules=[
                {
                    "id": "earlier-versions",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "noncurrent_version_expiration": {"noncurrent_days": _DAYS_OF_EARLIER_VERSIONS},
                    "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
                }
            ],
            # S3 accepts a rule for noncurrent versions only in a bucket with versioning, so versioning must be enabled
            # first.
            opts=self._owner.opts(depends_on=[versioning]),
        )
        return bucket

    def _make_distribution(self, bucket: aws.s3.Bucket) -> aws.cloudfront.Distribution:
        args, child = self._args, self._owner.opts()
        access = aws.cloudfront.OriginAccessControl(
            f"{self._name}-pages",
            name=self._owner.name("site"),
            description="Lets only the distribution read the pages",
            origin_access_control_origin_type="s3",
            signing_behavior="always",
            signing_protocol="sigv4",
            opts=child,
        )
        function = aws.cloudfront.Function(
            f"{self._name}-viewer-request",
            name=self._owner.name("viewer-request"),
            runtime="cloudfront-js-2.0",
            comment="Maps each request to a page or to a path of an API",
            code=VIEWER_REQUEST.read_text(encoding="utf-8").replace("${viewer_address}", VIEWER_ADDRESS_HEADER),
            publish=True,
            opts=child,
        )
        headers = self._make_headers_policy()
        return aws.cloudfront.Distribution(
            f"{self._name}-distribution",
            comment=self._owner.name("site"),
            enabled=True,
            is_ipv6_enabled=True,
            http_version="http2and3",
            # This price class includes every edge location except those in South America, Australia and New Zealand.
            price_class="PriceClass_200",
            default_root_object="index.html",
            aliases=[args.own_domain.name] if args.own_domain else None,
            origins=[
                {
                    "origin_id": "pages",
                    "domain_name": bucket.bucket_regional_domain_name,
                    "origin_access_control_id": access.id,
                },
                _api_origin(
                    "rest-api", args.rest_api_id, args.region, path=pulumi.Output.concat("/", args.rest_api_stage)
                ),
                _api_origin("http-api", args.http_api_id, args.region),
            ],
            default_cache_behavior={
                "target_origin_id": "pages",
                "viewer_protocol_policy": "redirect-to-https",
                "compress": True,
                "allowed_methods": [*_READ],
                "cached_methods": [*_READ],
                "cache_policy_id": _CACHING_OPTIMIZED,
                "response_headers_policy_id": headers.id,
                "function_associations": [{"event_type": "viewer-request", "function_arn": function.arn}],
            },
            ordered_cache_behaviors=[
                _api_behavior(path, origin, headers_policy=headers.id, function=function.arn)
                for path, origin in ((REST_PATH, "rest-api"), (HTTP_PATH, "http-api"))
            ],
            restrictions={"geo_restriction": {"restriction_type": "none"}},
            viewer_certificate=self._viewer_certificate(),
            tags=self._owner.tags(),
            opts=child,
        )

    def _viewer_certificate(self) -> aws.cloudfront.DistributionViewerCertificateArgsDict:
        if self._args.own_domain is None:
            return {"cloudfront_default_certificate": True}
        return {
            "acm_certificate_arn": make_certificate(self._name, self._args.own_domain, self._owner),
            "ssl_support_method": "sni-only",
            "minimum_protocol_version": "TLSv1.2_2021",
        }

    def _make_headers_policy(self) -> aws.cloudfront.ResponseHeadersPolicy:
        content_security_policy = pulumi.Output.all(*self._args.sign_in_urls).apply(
            lambda urls: "; ".join(CONTENT_SECURITY_POLICY).replace("${sign_in}", " ".join(urls))
        )
        return aws.cloudfront.ResponseHeadersPolicy(
            f"{self._name}-headers",
            name=self._owner.name("site"),
            comment="Security headers of the site",
            security_headers_config={
                "strict_transport_security": {
                    "access_control_max_age_sec": _YEAR_S,
                    "include_subdomains": True,
                    "override": True,
                },
                "content_security_policy": {"content_security_policy": content_security_policy, "override": True},
                "content_type_options": {"override": True},
                "frame_options": {"frame_option": "DENY", "override": True},
                "referrer_policy": {"referrer_policy": "same-origin", "override": True},
            },
            opts=self._owner.opts(),
        )

    def _allow_reads(self, bucket: aws.s3.Bucket, distribution: aws.cloudfront.Distribution) -> None:
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                deny_insecure_transport("s3:*", bucket.arn, pulumi.Output.concat(bucket.arn, "/*")),
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "cloudfront.amazonaws.com"},
                    "Action": "s3:GetObject",
                    "Resource": pulumi.Output.concat(bucket.arn, "/*"),
                    "Condition": {"StringEquals": {"AWS:SourceArn": distribution.arn}},
                },
            ],
        }
        aws.s3.BucketPolicy(
            f"{self._name}-pages-policy",
            bucket=bucket.bucket,
            policy=pulumi.Output.json_dumps(policy),
            opts=self._owner.opts(),
        )


def _api_behavior(
    path: str, origin_id: str, *, headers_policy: pulumi.Input[str], function: pulumi.Input[str]
) -> aws.cloudfront.DistributionOrderedCacheBehaviorArgsDict:
    return {
        "path_pattern": f"{path}/*",
        "target_origin_id": origin_id,
        "viewer_protocol_policy": "https-only",
        "compress": True,
        "allowed_methods": [*_ALL_METHODS],
        "cached_methods": [*_READ],
        "cache_policy_id": _CACHING_DISABLED,
        # API Gateway finds the API by the header Host, so CloudFront sends the API's own host name instead of the
        # viewer's header.
        "origin_request_policy_id": _ALL_VIEWER_EXCEPT_HOST_HEADER,
        "response_headers_policy_id": headers_policy,
        "function_associations": [{"event_type": "viewer-request", "function_arn": function}],
    }


def _api_origin(
    origin_id: str, api_id: pulumi.Input[str], region: str, *, path: pulumi.Input[str] = ""
) -> aws.cloudfront.DistributionOriginArgsDict:
    return {
        "origin_id": origin_id,
        "domain_name": pulumi.Output.concat(api_id, f".execute-api.{region}.amazonaws.com"),
        "origin_path": path,
        "custom_origin_config": {
            "http_port": 80,
            "https_port": 443,
            "origin_protocol_policy": "https-only",
            "origin_ssl_protocols": ["TLSv1.2"],
        },
    }
