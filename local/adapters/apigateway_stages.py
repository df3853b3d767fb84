"""Adapters that deploy the deployments and stages of API Gateway's REST APIs to the emulator."""

from __future__ import annotations

from typing import Final

from local.adapters.apigateway import patch, tag
from local.adapters.base import Adapter, Made, Props, Put, adapts, only
from local.aws import Aws

_SETTINGS: Final = {
    "cachingEnabled": "caching/enabled",
    "dataTraceEnabled": "logging/dataTrace",
    "loggingLevel": "logging/loglevel",
    "metricsEnabled": "metrics/enabled",
    "throttlingBurstLimit": "throttling/burstLimit",
    "throttlingRateLimit": "throttling/rateLimit",
}


@adapts("aws:apigateway/deployment:Deployment")
class Deployment(Adapter):
    """A snapshot of a REST API, which a stage can serve."""

    applies = frozenset({"restApi", "description"})
    # CreateDeployment has no parameter for `triggers`. The property only has an effect in Pulumi: if a trigger changes,
    # a new deployment with the changed API replaces the old one.
    leaves = frozenset({"triggers"})
    named_by_aws = True

    def create(self, aws: Aws, new: Props) -> Made:
        description = new.get("description")
        made = aws("apigateway", "create_deployment", restApiId=new["restApi"], description=description)
        return Made(made["id"])

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        aws("apigateway", "delete_deployment", restApiId=old["restApi"], deploymentId=identity)


@adapts("aws:apigateway/stage:Stage")
class Stage(Adapter):
    """A stage of a REST API, which serves a deployment at a URL."""

    applies = frozenset(
        {
            "restApi",
            "stageName",
            "accessLogSettings",
            "deployment",
            "description",
            "tags",
            "variables",
            "xrayTracingEnabled",
        }
    )
    replaced_by = frozenset({"restApi", "stageName", "variables"})

    def create(self, aws: Aws, new: Props) -> Made:
        api, name = new["restApi"], new["stageName"]
        aws(
            "apigateway",
            "create_stage",
            restApiId=api,
            stageName=name,
            deploymentId=new["deployment"],
            description=new.get("description"),
            tags=new.get("tags"),
            tracingEnabled=new.get("xrayTracingEnabled"),
            variables=new.get("variables"),
        )
        # CreateStage does not accept access log settings, so UpdateStage sets them.
        self._log(aws, new)
        return Made(
            f"ags-{api}-{name}",
            {
                "arn": f"arn:aws:apigateway:{aws.region}::/restapis/{api}/stages/{name}",
                "executionArn": aws.arn("execute-api", f"{api}/{name}"),
                "invokeUrl": f"{aws.instance.url}/restapis/{api}/{name}/_user_request_",
            },
        )

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        del identity
        if old.get("accessLogSettings") and not new.get("accessLogSettings"):
            return None
        patches = [
            patch("/deploymentId", new["deployment"]),
            patch("/description", new.get("description", "")),
            patch("/tracingEnabled", new.get("xrayTracingEnabled", False)),
        ]
        _patch_stage(aws, new, patches)
        self._log(aws, new)
        tag(aws, f"arn:aws:apigateway:{aws.region}::/restapis/{new['restApi']}/stages/{new['stageName']}", new)
        return {}

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del identity
        aws("apigateway", "delete_stage", restApiId=old["restApi"], stageName=old["stageName"])

    def _log(self, aws: Aws, new: Props) -> None:
        if log := new.get("accessLogSettings"):
            only(log, ("destinationArn", "format"), "accessLogSettings")
            _patch_stage(aws, new, [patch(f"/accessLogSettings/{key}", value) for key, value in log.items()])


@adapts("aws:apigateway/methodSettings:MethodSettings")
class MethodSettings(Put):
    """Throttling, metrics and logging settings for the methods of a stage."""

    applies = frozenset({"restApi", "stageName", "methodPath", "settings"})
    replaced_by = frozenset({"restApi", "stageName", "methodPath"})

    def create(self, aws: Aws, new: Props) -> Made:
        only(new["settings"], _SETTINGS, "settings")
        path = new["methodPath"]
        patches = [patch(f"/{path}/{_SETTINGS[key]}", value) for key, value in new["settings"].items()]
        _patch_stage(aws, new, patches)
        return Made(f"{new['restApi']}-{new['stageName']}-{path}")

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del identity
        _patch_stage(aws, old, [{"op": "remove", "path": f"/{old['methodPath']}"}])


def _patch_stage(aws: Aws, new: Props, patches: list[dict[str, str]]) -> None:
    aws(
        "apigateway",
        "update_stage",
        restApiId=new["restApi"],
        stageName=new["stageName"],
        patchOperations=patches,
    )
