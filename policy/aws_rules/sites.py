"""Rules for web sites: Amazon CloudFront, AWS Certificate Manager (ACM) and Amazon Route 53."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from aws_rules.buckets import BUCKET
from aws_rules.model import Resource, Stack, of_resource, of_stack

DISTRIBUTION: Final = "aws:cloudfront/distribution:Distribution"
HEADERS_POLICY: Final = "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy"
CERTIFICATE: Final = "aws:acm/certificate:Certificate"
RECORD: Final = "aws:route53/record:Record"
_YEAR_S: Final = 365 * 86_400
_OLD_PROTOCOLS: Final = ("SSLv3", "TLSv1", "TLSv1.1")
_S3_HOST: Final = re.compile(r".+\.s3[.-].*amazonaws\.com")


@of_resource(DISTRIBUTION, ids=("CKV_AWS_216",))
def distribution_is_enabled(distribution: Resource) -> Iterator[str]:
    """A CloudFront distribution is enabled."""
    if not distribution.has("enabled"):
        yield "set enabled"


@of_resource(DISTRIBUTION, ids=("CKV_AWS_34",))
def distribution_requires_https(distribution: Resource) -> Iterator[str]:
    """A CloudFront distribution redirects requests over plain HTTP to HTTPS, or refuses them."""
    for behavior in _behaviors(distribution):
        if behavior.get("viewerProtocolPolicy") not in ("https-only", "redirect-to-https"):
            path = behavior.get("pathPattern") or "the default behavior"
            yield f"{path}: set viewerProtocolPolicy to https-only or redirect-to-https"


@of_resource(
    DISTRIBUTION,
    ids=("AwsSolutions-CFR4", "CKV_AWS_174", "CKV2_AWS_42"),
    narrowed="The rule checks only distributions with their own domain. For a domain that CloudFront assigns, "
    "CloudFront itself chooses the certificate and the TLS versions.",
)
def own_domain_requires_tls_1_2(distribution: Resource) -> Iterator[str]:
    """A CloudFront distribution with its own domain has its own certificate and requires TLS 1.2 or newer."""
    if not distribution.has("aliases"):
        return
    if not distribution.has("viewerCertificate", "acmCertificateArn"):
        yield "set viewerCertificate.acmCertificateArn"
    version = str(distribution.at("viewerCertificate", "minimumProtocolVersion"))
    if not re.match(r"TLSv1\.[23]_", version):
        yield f"viewerCertificate.minimumProtocolVersion: got {version}; allowed: TLSv1.2_2021 or newer"


@of_resource(DISTRIBUTION, ids=("AwsSolutions-CFR5", "CKV2_AWS_54", "CKV2_AWS_72"))
def distribution_calls_its_origins_over_tls_1_2(distribution: Resource) -> Iterator[str]:
    """A CloudFront distribution sends requests to its origins only over TLS 1.2."""
    for origin in _origins(distribution):
        config = cast("Mapping[str, Any] | None", origin.get("customOriginConfig"))
        if config is None:
            continue
        if config.get("originProtocolPolicy") != "https-only":
            yield f"origin {origin.get('originId')}: set originProtocolPolicy to https-only"
        if old := [each for each in config.get("originSslProtocols") or () if each in _OLD_PROTOCOLS]:
            yield f"origin {origin.get('originId')}: remove {', '.join(old)} from originSslProtocols"


@of_stack(DISTRIBUTION, ids=("AwsSolutions-CFR7", "CKV2_AWS_46"))
def distribution_reads_buckets_with_access_control(distribution: Resource, stack: Stack) -> Iterator[str]:
    """A CloudFront distribution signs its requests to S3 buckets with an origin access control."""
    hosts = {bucket.at("bucketRegionalDomainName") for bucket in stack.of(BUCKET)}
    for origin in _origins(distribution):
        host = str(origin.get("domainName"))
        if (host in hosts or _S3_HOST.fullmatch(host)) and not origin.get("originAccessControlId"):
            yield f"origin {origin.get('originId')}: set originAccessControlId"


@of_resource(DISTRIBUTION, ids=("CKV_AWS_305",))
def distribution_has_a_default_root_object(distribution: Resource) -> Iterator[str]:
    """A CloudFront distribution has a default root object, so a request for `/` never lists the bucket's objects."""
    if not distribution.has("defaultRootObject"):
        yield "set defaultRootObject"


@of_resource(DISTRIBUTION, ids=("CKV2_AWS_32",))
def distribution_sends_security_headers(distribution: Resource) -> Iterator[str]:
    """Each behavior of a CloudFront distribution has a response headers policy."""
    for behavior in _behaviors(distribution):
        if not behavior.get("responseHeadersPolicyId"):
            yield f"{behavior.get('pathPattern') or 'the default behavior'}: set responseHeadersPolicyId"


@of_resource(
    HEADERS_POLICY,
    ids=("CKV_AWS_259",),
    narrowed="The check also requires `preload`. With `preload`, browsers never use plain HTTP for any host of the "
    "domain. Only the owner of the domain can decide this.",
)
def headers_policy_enforces_https(policy: Resource) -> Iterator[str]:
    """A response headers policy of CloudFront makes browsers use HTTPS for at least a year, also for subdomains."""
    path = ("securityHeadersConfig", "strictTransportSecurity")
    if int(policy.at(*path, "accessControlMaxAgeSec") or 0) < _YEAR_S:
        yield f"strictTransportSecurity.accessControlMaxAgeSec: must be at least {_YEAR_S}"
    for key in ("includeSubdomains", "override"):
        if not policy.at(*path, key):
            yield f"set strictTransportSecurity.{key}"


@of_resource(CERTIFICATE, ids=("CKV_AWS_233",))
def certificate_serves_while_it_is_replaced(certificate: Resource) -> Iterator[str]:
    """To replace a certificate, Pulumi creates the new certificate before it deletes the old one."""
    if certificate.deleted_first:
        yield "unset the option delete_before_replace"


@of_resource(CERTIFICATE, ids=("CKV_AWS_234",))
def certificate_is_publicly_logged(certificate: Resource) -> Iterator[str]:
    """ACM records a certificate in a public certificate transparency log, as browsers require."""
    if certificate.at("options", "certificateTransparencyLoggingPreference") == "DISABLED":
        yield "unset options.certificateTransparencyLoggingPreference"


@of_resource(CERTIFICATE, ids=("CKV2_AWS_71",))
def certificate_has_no_wildcard(certificate: Resource) -> Iterator[str]:
    """A certificate lists each domain by name, without a wildcard."""
    for domain in [certificate.at("domainName"), *certificate.items("subjectAlternativeNames")]:
        if "*" in str(domain):
            yield f"{domain}: name each domain"


@of_stack(RECORD, ids=("CKV2_AWS_23",))
def address_record_points_to_the_stack(record: Resource, stack: Stack) -> Iterator[str]:
    """A DNS record of type A points to a resource of the stack, not to an address that somebody else can take over."""
    if record.at("type") == "A" and not (stack.sources(record, "aliases") or stack.sources(record, "records")):
        yield "set aliases to a resource of the stack"


def _behaviors(distribution: Resource) -> list[Mapping[str, Any]]:
    default = distribution.at("defaultCacheBehavior")
    return [*([default] if default else ()), *distribution.items("orderedCacheBehaviors")]


def _origins(distribution: Resource) -> list[Mapping[str, Any]]:
    return distribution.items("origins")


RULES: Final = (
    distribution_is_enabled,
    distribution_requires_https,
    own_domain_requires_tls_1_2,
    distribution_calls_its_origins_over_tls_1_2,
    distribution_reads_buckets_with_access_control,
    distribution_has_a_default_root_object,
    distribution_sends_security_headers,
    headers_policy_enforces_https,
    certificate_serves_while_it_is_replaced,
    certificate_is_publicly_logged,
    certificate_has_no_wildcard,
    address_record_points_to_the_stack,
)
