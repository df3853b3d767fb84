"""Adapters that deploy Cognito user pools to the emulator."""

from __future__ import annotations

from typing import Any, Final

from local.adapters.base import Adapter, Made, Props, Put, adapts, only, pascal, pick
from local.aws import Aws

_POOL: Final = {
    "adminCreateUserConfig": "AdminCreateUserConfig",
    "accountRecoverySetting": "AccountRecoverySetting",
    "autoVerifiedAttributes": "AutoVerifiedAttributes",
    "deletionProtection": "DeletionProtection",
    "mfaConfiguration": "MfaConfiguration",
    "userPoolTier": "UserPoolTier",
}
_AT_BIRTH: Final = {
    "aliasAttributes": "AliasAttributes",
    "usernameAttributes": "UsernameAttributes",
    "usernameConfiguration": "UsernameConfiguration",
}
_CLIENT: Final = {
    "accessTokenValidity": "AccessTokenValidity",
    "allowedOauthFlows": "AllowedOAuthFlows",
    "allowedOauthFlowsUserPoolClient": "AllowedOAuthFlowsUserPoolClient",
    "allowedOauthScopes": "AllowedOAuthScopes",
    "authSessionValidity": "AuthSessionValidity",
    "callbackUrls": "CallbackURLs",
    "defaultRedirectUri": "DefaultRedirectURI",
    "enableTokenRevocation": "EnableTokenRevocation",
    "explicitAuthFlows": "ExplicitAuthFlows",
    "idTokenValidity": "IdTokenValidity",
    "logoutUrls": "LogoutURLs",
    "name": "ClientName",
    "preventUserExistenceErrors": "PreventUserExistenceErrors",
    "readAttributes": "ReadAttributes",
    "refreshTokenValidity": "RefreshTokenValidity",
    "supportedIdentityProviders": "SupportedIdentityProviders",
    "tokenValidityUnits": "TokenValidityUnits",
    "userPoolId": "UserPoolId",
    "writeAttributes": "WriteAttributes",
}


@adapts("aws:cognito/userPool:UserPool")
class UserPool(Adapter):
    """A user pool, which stores users."""

    applies = frozenset({"name", "passwordPolicy", "softwareTokenMfaConfiguration", "tags", *_POOL, *_AT_BIRTH})
    replaced_by = frozenset(_AT_BIRTH)
    keeps_data = True

    def create(self, aws: Aws, new: Props) -> Made:
        pool = aws(
            "cognito-idp",
            "create_user_pool",
            PoolName=new["name"],
            UserPoolTags=new.get("tags"),
            **pascal(pick(new, **_AT_BIRTH)),
            **_pool(new),
        )["UserPool"]
        _second_factor(aws, pool["Id"], new)
        return Made(
            pool["Id"],
            {"arn": pool["Arn"], "endpoint": f"cognito-idp.{aws.region}.amazonaws.com/{pool['Id']}"},
        )

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        del old
        aws("cognito-idp", "update_user_pool", UserPoolId=identity, UserPoolTags=new.get("tags"), **_pool(new))
        _second_factor(aws, identity, new)
        return {}

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        aws("cognito-idp", "delete_user_pool", UserPoolId=identity)


@adapts("aws:cognito/userPoolClient:UserPoolClient")
class UserPoolClient(Adapter):
    """An app client of a user pool, through which an application signs users in."""

    applies = frozenset({"generateSecret", *_CLIENT})
    replaced_by = frozenset({"generateSecret", "userPoolId"})
    named_by_aws = True

    def create(self, aws: Aws, new: Props) -> Made:
        secret = new.get("generateSecret")
        made = aws("cognito-idp", "create_user_pool_client", GenerateSecret=secret, **_client(new))["UserPoolClient"]
        return Made(made["ClientId"], {"clientSecret": made.get("ClientSecret", "")})

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        del old
        aws("cognito-idp", "update_user_pool_client", ClientId=identity, **_client(new))
        return {}

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        aws("cognito-idp", "delete_user_pool_client", UserPoolId=old["userPoolId"], ClientId=identity)


@adapts("aws:cognito/userPoolDomain:UserPoolDomain")
class UserPoolDomain(Adapter):
    """The domain of the hosted sign-in pages."""

    applies = frozenset({"domain", "userPoolId", "managedLoginVersion"})
    replaced_by = applies

    def create(self, aws: Aws, new: Props) -> Made:
        version = new.get("managedLoginVersion")
        aws(
            "cognito-idp",
            "create_user_pool_domain",
            Domain=new["domain"],
            UserPoolId=new["userPoolId"],
            ManagedLoginVersion=version,
        )
        return Made(new["domain"], {"awsAccountId": aws.account})

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        aws("cognito-idp", "delete_user_pool_domain", Domain=identity, UserPoolId=old["userPoolId"])


@adapts("aws:cognito/userGroup:UserGroup")
class UserGroup(Put):
    """A group of users in a user pool."""

    applies = frozenset({"name", "userPoolId", "description", "precedence"})
    replaced_by = frozenset({"name", "userPoolId"})

    def create(self, aws: Aws, new: Props) -> Made:
        aws("cognito-idp", "create_group", **self._content(new))
        return Made(f"{new['userPoolId']}/{new['name']}")

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        del identity, old
        aws("cognito-idp", "update_group", **self._content(new))
        return {}

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del identity
        aws("cognito-idp", "delete_group", GroupName=old["name"], UserPoolId=old["userPoolId"])

    def _content(self, new: Props) -> dict[str, Any]:
        return pick(new, name="GroupName", userPoolId="UserPoolId", description="Description", precedence="Precedence")


def _pool(new: Props) -> dict[str, Any]:
    wanted: dict[str, Any] = pascal(pick(new, **_POOL))
    # If the program configures software tokens as a second factor, leave MfaConfiguration out of the pool's parameters.
    # `_second_factor` later sets it together with the software tokens, in one call of SetUserPoolMfaConfig.
    if new.get("softwareTokenMfaConfiguration"):
        wanted.pop("MfaConfiguration", None)
    if policy := new.get("passwordPolicy"):
        wanted["Policies"] = {"PasswordPolicy": pascal(policy)}
    return wanted


def _second_factor(aws: Aws, identity: str, new: Props) -> None:
    given = new.get("softwareTokenMfaConfiguration")
    if not given:
        return
    only(given, ("enabled",), "softwareTokenMfaConfiguration")
    aws(
        "cognito-idp",
        "set_user_pool_mfa_config",
        UserPoolId=identity,
        SoftwareTokenMfaConfiguration={"Enabled": given["enabled"]},
        MfaConfiguration=new.get("mfaConfiguration", "OFF"),
    )


def _client(new: Props) -> dict[str, Any]:
    return {
        target: pascal(new[source]) if source == "tokenValidityUnits" else new[source]
        for source, target in _CLIENT.items()
        if source in new
    }
