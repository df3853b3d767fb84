"""The Cognito user pool for sign-in. Both APIs accept its tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.aws.naming import Naming
from components.aws.owner import Owner

ADMIN_GROUP = "admin"
SCOPES = ("openid", "email", "profile")
_COMPONENT = "identity"


@dataclass(frozen=True, kw_only=True)
class IdentityArgs:
    """How users sign in."""

    naming: Naming
    """Names and tags of the stack."""
    region: str
    """AWS region of the pool, part of its URLs."""
    account_id: pulumi.Input[str]
    """AWS account id, part of the domain prefix because all accounts of a region share one namespace of prefixes."""
    password_sign_in: bool
    """Allow InitiateAuth with a password (or SRP) in addition to the authorization code flow."""
    redirect_uris: Sequence[str]
    """URIs to which the hosted sign-in page may redirect with an authorization code. Cognito requires https or
    http://localhost.
    """
    logout_uris: Sequence[str]
    """URIs to which the hosted page may redirect after a user has signed out."""
    deletion_protection: bool
    """Make AWS refuse to delete the pool, because a deletion would also delete every user account."""


class Identity(pulumi.ComponentResource):
    """User pool, hosted sign-in page, one public app client (code flow with PKCE), and the group `admin`."""

    user_pool_id: pulumi.Output[str]
    """Id of the user pool."""
    user_pool_arn: pulumi.Output[str]
    """ARN of the user pool, for the authorizer of the REST API."""
    client_id: pulumi.Output[str]
    """Id of the app client: the claim `aud` of ID tokens and `client_id` of access tokens."""
    issuer: pulumi.Output[str]
    """Issuer of the tokens: the value of their claim `iss`."""
    jwks_url: pulumi.Output[str]
    """URL of the public keys that verify the tokens."""
    discovery_url: pulumi.Output[str]
    """URL of the OpenID Connect discovery document."""
    hosted_ui_url: pulumi.Output[str]
    """Base URL of /oauth2/authorize and /oauth2/token."""
    logout_url: pulumi.Output[str]
    """URL that ends the session on the hosted sign-in page."""

    def __init__(self, name: str, args: IdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:Identity", name, None, opts)
        self._name, self._args = name, args
        self._owner = Owner(naming=args.naming, component=_COMPONENT, parent=self)
        child = self._owner.opts()
        pool = self._make_pool()
        client = self._make_client(pool)
        domain = aws.cognito.UserPoolDomain(
            f"{name}-domain",
            domain=pulumi.Output.concat(self._owner.name("sign-in", kind="cognito-domain"), "-", args.account_id),
            user_pool_id=pool.id,
            # Pulumi must delete an old domain before it creates a new one: two domains cannot have the same name, and
            # Cognito refuses to delete a user pool that still has a domain.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        aws.cognito.UserGroup(
            f"{name}-{ADMIN_GROUP}",
            name=ADMIN_GROUP,
            user_pool_id=pool.id,
            description="May read every user and order, and change the catalog.",
            opts=child,
        )
        self.user_pool_id, self.user_pool_arn, self.client_id = pool.id, pool.arn, client.id
        self.issuer = pulumi.Output.concat("https://cognito-idp.", args.region, ".amazonaws.com/", pool.id)
        self.jwks_url = pulumi.Output.concat(self.issuer, "/.well-known/jwks.json")
        self.discovery_url = pulumi.Output.concat(self.issuer, "/.well-known/openid-configuration")
        self.hosted_ui_url = pulumi.Output.concat(
            "https://", domain.domain, ".auth.", args.region, ".amazoncognito.com"
        )
        self.logout_url = pulumi.Output.concat(self.hosted_ui_url, "/logout")
        self.register_outputs({"userPoolId": self.user_pool_id, "clientId": self.client_id, "issuer": self.issuer})

    def _make_pool(self) -> aws.cognito.UserPool:
        args = self._args
        return aws.cognito.UserPool(
            f"{self._name}-pool",
            name=self._owner.name("users"),
            username_attributes=["email"],
            auto_verified_attributes=["email"],
            username_configuration={"case_sensitive": False},
            account_recovery_setting={"recovery_mechanisms": [{"name": "verified_email", "priority": 1}]},
            password_policy={
                "minimum_length": 12,
                "require_lowercase": True,
                "require_uppercase": True,
                "require_numbers": True,
                "require_symbols": True,
                "temporary_password_validity_days": 7,
            },
            mfa_configuration="OPTIONAL",
            software_token_mfa_configuration={"enabled": True},
            deletion_protection="ACTIVE" if args.deletion_protection else "INACTIVE",
            tags=self._owner.tags(),
            opts=self._owner.opts(),
        )

    def _make_client(self, pool: aws.cognito.UserPool) -> aws.cognito.UserPoolClient:
        args = self._args
        by_password = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"] if args.password_sign_in else []
        return aws.cognito.UserPoolClient(
            f"{self._name}-client",
            name=self._owner.name("frontend"),
            user_pool_id=pool.id,
            # A browser cannot keep a client secret, so PKCE protects the authorization code flow instead.
            generate_secret=False,
            allowed_oauth_flows_user_pool_client=True,
            allowed_oauth_flows=["code"],
            allowed_oauth_scopes=list(SCOPES),
            callback_urls=list(args.redirect_uris),
            logout_urls=list(args.logout_uris),
            supported_identity_providers=["COGNITO"],
            explicit_auth_flows=[*by_password, "ALLOW_REFRESH_TOKEN_AUTH"],
            prevent_user_existence_errors="ENABLED",
            enable_token_revocation=True,
            access_token_validity=60,
            id_token_validity=60,
            refresh_token_validity=30,
            token_validity_units={"access_token": "minutes", "id_token": "minutes", "refresh_token": "days"},
            opts=self._owner.opts(),
        )
