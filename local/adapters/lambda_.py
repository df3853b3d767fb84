"""Adapters that deploy Lambda functions and their settings to the emulator."""

from __future__ import annotations

from typing import Any, Final

from local import functions
from local.adapters.base import Adapter, Made, Props, Put, adapts, changed_tags, only, pascal, pick
from local.archives import zip_bytes
from local.aws import Aws

_CONFIGURATION: Final = {
    "deadLetterConfig": "DeadLetterConfig",
    "description": "Description",
    "environment": "Environment",
    "ephemeralStorage": "EphemeralStorage",
    "handler": "Handler",
    "loggingConfig": "LoggingConfig",
    "memorySize": "MemorySize",
    "role": "Role",
    "timeout": "Timeout",
    "tracingConfig": "TracingConfig",
}
_MAPPING: Final = {
    "batchSize": "BatchSize",
    "bisectBatchOnFunctionError": "BisectBatchOnFunctionError",
    "enabled": "Enabled",
    "filterCriteria": "FilterCriteria",
    "functionName": "FunctionName",
    "functionResponseTypes": "FunctionResponseTypes",
    "maximumBatchingWindowInSeconds": "MaximumBatchingWindowInSeconds",
    "maximumRecordAgeInSeconds": "MaximumRecordAgeInSeconds",
    "maximumRetryAttempts": "MaximumRetryAttempts",
    "parallelizationFactor": "ParallelizationFactor",
    "scalingConfig": "ScalingConfig",
}


@adapts("aws:lambda/layerVersion:LayerVersion")
class LayerVersion(Adapter):
    """A version of a layer. Lambda publishes a new version for each change."""

    applies = frozenset(
        {"layerName", "code", "compatibleArchitectures", "compatibleRuntimes", "description", "licenseInfo"}
    )
    # The adapter needs no sourceCodeHash, because the deployment compares the content of `code`. On AWS, skipDestroy
    # preserves old layer versions. The adapter ignores skipDestroy, because an instance needs only the current
    # versions.
    leaves = frozenset({"skipDestroy", "sourceCodeHash"})
    named_by_aws = True

    def create(self, aws: Aws, new: Props) -> Made:
        content = zip_bytes(new["code"])
        made = aws(
            "lambda",
            "publish_layer_version",
            LayerName=new["layerName"],
            Content={"ZipFile": content},
            CompatibleArchitectures=new.get("compatibleArchitectures"),
            CompatibleRuntimes=new.get("compatibleRuntimes"),
            Description=new.get("description"),
            LicenseInfo=new.get("licenseInfo"),
        )
        arn: str = made["LayerVersionArn"]
        functions.extract_layer(aws.instance, arn, content)
        outputs = {
            "arn": arn,
            "layerArn": made["LayerArn"],
            "version": str(made["Version"]),
            "sourceCodeSize": len(content),
        }
        return Made(arn, outputs)

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        version = int(identity.rpartition(":")[2])
        aws("lambda", "delete_layer_version", LayerName=old["layerName"], VersionNumber=version)


@adapts("aws:lambda/function:Function")
class Function(Adapter):
    """A Lambda function with a Python runtime, and its published versions."""

    applies = frozenset(
        {
            "name",
            "architectures",
            "code",
            "layers",
            "publish",
            "reservedConcurrentExecutions",
            "runtime",
            "tags",
            *_CONFIGURATION,
        }
    )
    # The adapter needs no sourceCodeHash, because the deployment compares the content of `code`.
    leaves = frozenset({"sourceCodeHash"})
    replaced_by = frozenset({"name"})

    def create(self, aws: Aws, new: Props) -> Made:
        made = aws(
            "lambda",
            "create_function",
            FunctionName=new["name"],
            Code={"ZipFile": _package(aws, new)},
            Runtime=functions.RUNTIME,
            Architectures=new.get("architectures"),
            Layers=new.get("layers"),
            Publish=new.get("publish"),
            Tags=new.get("tags"),
            **_configuration(new),
        )
        self._reserve(aws, {}, new)
        return Made(new["name"], _outputs(aws, new, made["Version"]))

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        if any(old.get(key) and not new.get(key) for key in (*_CONFIGURATION, "layers")):
            return None
        aws(
            "lambda",
            "update_function_configuration",
            FunctionName=identity,
            Layers=new.get("layers"),
            **_configuration(new),
        )
        aws(
            "lambda",
            "update_function_code",
            FunctionName=identity,
            ZipFile=_package(aws, new),
            Architectures=new.get("architectures"),
        )
        version = "$LATEST"
        if new.get("publish"):
            version = aws("lambda", "publish_version", FunctionName=identity)["Version"]
        self._reserve(aws, old, new)
        arn = aws.arn("lambda", f"function:{identity}")
        if gone := changed_tags(old, new):
            aws("lambda", "untag_resource", Resource=arn, TagKeys=gone)
        if new.get("tags"):
            aws("lambda", "tag_resource", Resource=arn, Tags=new["tags"])
        return _outputs(aws, new, version)

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        aws("lambda", "delete_function", FunctionName=identity)

    def _reserve(self, aws: Aws, old: Props, new: Props) -> None:
        """Set or remove the function's reserved concurrency. In Pulumi, -1 means that the function has none."""
        before, wanted = (each.get("reservedConcurrentExecutions", -1) for each in (old, new))
        if wanted >= 0:
            aws(
                "lambda",
                "put_function_concurrency",
                FunctionName=new["name"],
                ReservedConcurrentExecutions=wanted,
            )
        elif before >= 0:
            aws("lambda", "delete_function_concurrency", FunctionName=new["name"])


@adapts("aws:lambda/alias:Alias")
class Alias(Adapter):
    """An alias of a published version."""

    applies = frozenset({"name", "functionName", "functionVersion", "description"})
    replaced_by = frozenset({"name", "functionName"})

    def create(self, aws: Aws, new: Props) -> Made:
        arn: str = aws("lambda", "create_alias", **self._content(new))["AliasArn"]
        return Made(arn, {"arn": arn, "invokeArn": _invoke_arn(aws, arn)})

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        del identity
        aws("lambda", "update_alias", **self._content(new))
        # On AWS, old versions of a function are preserved. In the emulator, an old version would keep its execution
        # environments running, so this method deletes it.
        before = old["functionVersion"]
        if before not in ("$LATEST", new["functionVersion"]):
            aws("lambda", "delete_function", FunctionName=new["functionName"], Qualifier=before)
        return {}

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del identity
        aws("lambda", "delete_alias", FunctionName=old["functionName"], Name=old["name"])

    def _content(self, new: Props) -> dict[str, Any]:
        return {
            "FunctionName": new["functionName"],
            "FunctionVersion": new["functionVersion"],
            "Name": new["name"],
            "Description": new.get("description"),
        }


@adapts("aws:lambda/permission:Permission")
class Permission(Adapter):
    """A statement in a function's policy that allows a principal to invoke the function."""

    applies = frozenset({"action", "function", "principal", "qualifier", "sourceAccount", "sourceArn", "statementId"})
    replaced_by = applies

    def create(self, aws: Aws, new: Props) -> Made:
        wanted = pick(
            new,
            action="Action",
            function="FunctionName",
            principal="Principal",
            qualifier="Qualifier",
            sourceAccount="SourceAccount",
            sourceArn="SourceArn",
            statementId="StatementId",
        )
        aws("lambda", "add_permission", **wanted)
        return Made(new["statementId"])

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        aws(
            "lambda",
            "remove_permission",
            FunctionName=old["function"],
            StatementId=identity,
            Qualifier=old.get("qualifier"),
        )


@adapts("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig")
class EventInvokeConfig(Put):
    """The retries and destinations of a function's asynchronous invocations."""

    applies = frozenset(
        {"functionName", "qualifier", "destinationConfig", "maximumEventAgeInSeconds", "maximumRetryAttempts"}
    )
    replaced_by = frozenset({"functionName", "qualifier"})

    def create(self, aws: Aws, new: Props) -> Made:
        aws(
            "lambda",
            "put_function_event_invoke_config",
            FunctionName=new["functionName"],
            Qualifier=new.get("qualifier"),
            MaximumEventAgeInSeconds=new.get("maximumEventAgeInSeconds"),
            MaximumRetryAttempts=new.get("maximumRetryAttempts"),
            DestinationConfig=pascal(new.get("destinationConfig")),
        )
        return Made(f"{new['functionName']}:{new.get('qualifier', '$LATEST')}")

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del identity
        aws(
            "lambda",
            "delete_function_event_invoke_config",
            FunctionName=old["functionName"],
            Qualifier=old.get("qualifier"),
        )


@adapts("aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig")
class ProvisionedConcurrency(Put):
    """Provisioned concurrency of an alias.

    The emulator stores the setting but does not apply it. In the emulator, each execution environment stays warm after
    its first invocation, even without this setting.
    """

    applies = frozenset({"functionName", "qualifier", "provisionedConcurrentExecutions"})
    # On AWS, skipDestroy preserves the provisioned concurrency when the resource is deleted. The adapter ignores
    # skipDestroy, because the emulator does not apply provisioned concurrency.
    leaves = frozenset({"skipDestroy"})
    replaced_by = frozenset({"functionName", "qualifier"})

    def create(self, aws: Aws, new: Props) -> Made:
        aws(
            "lambda",
            "put_provisioned_concurrency_config",
            FunctionName=new["functionName"],
            Qualifier=new["qualifier"],
            ProvisionedConcurrentExecutions=new["provisionedConcurrentExecutions"],
        )
        return Made(f"{new['functionName']},{new['qualifier']}")

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del identity
        aws(
            "lambda",
            "delete_provisioned_concurrency_config",
            FunctionName=old["functionName"],
            Qualifier=old["qualifier"],
        )


@adapts("aws:lambda/eventSourceMapping:EventSourceMapping")
class EventSourceMapping(Adapter):
    """An event source mapping, by which a function consumes a queue or a stream."""

    applies = frozenset({"destinationConfig", "eventSourceArn", "startingPosition", "tags", *_MAPPING})
    replaced_by = frozenset({"eventSourceArn", "startingPosition"})
    named_by_aws = True

    def create(self, aws: Aws, new: Props) -> Made:
        made = aws(
            "lambda",
            "create_event_source_mapping",
            EventSourceArn=new["eventSourceArn"],
            StartingPosition=new.get("startingPosition"),
            Tags=new.get("tags"),
            **self._content(new),
        )
        return Made(made["UUID"], self._outputs(made))

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        if any(old.get(key) and not new.get(key) for key in (*_MAPPING, "destinationConfig")):
            return None
        return self._outputs(aws("lambda", "update_event_source_mapping", UUID=identity, **self._content(new)))

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        aws("lambda", "delete_event_source_mapping", UUID=identity)

    def _content(self, new: Props) -> dict[str, Any]:
        wanted: dict[str, Any] = {target: pascal(new[source]) for source, target in _MAPPING.items() if source in new}
        if destination := new.get("destinationConfig"):
            only(destination, ("onFailure",), "destinationConfig")
            wanted["DestinationConfig"] = {"OnFailure": {"Destination": destination["onFailure"]["destinationArn"]}}
        return wanted

    def _outputs(self, made: dict[str, Any]) -> Props:
        return {"uuid": made["UUID"], "functionArn": made["FunctionArn"], "state": made["State"]}


def _package(aws: Aws, new: Props) -> bytes:
    if not str(new.get("runtime", "")).startswith("python3."):
        raise ValueError(f"runtime {new.get('runtime')!r}: only Python functions (python3.x) can run locally")
    return functions.package(aws.instance, zip_bytes(new["code"]), new.get("layers", []))


def _configuration(new: Props) -> dict[str, Any]:
    wanted = {target: new[source] for source, target in _CONFIGURATION.items() if source in new}
    for target in ("DeadLetterConfig", "EphemeralStorage", "LoggingConfig", "TracingConfig"):
        if target in wanted:
            wanted[target] = pascal(wanted[target])
    if environment := new.get("environment"):
        only(environment, ("variables",), "environment")
        wanted["Environment"] = {"Variables": environment["variables"]}
    return wanted


def _outputs(aws: Aws, new: Props, version: str) -> Props:
    arn = aws.arn("lambda", f"function:{new['name']}")
    return {
        "arn": arn,
        "invokeArn": _invoke_arn(aws, arn),
        "qualifiedArn": f"{arn}:{version}",
        "version": version,
    }


def _invoke_arn(aws: Aws, arn: str) -> str:
    return f"arn:aws:apigateway:{aws.region}:lambda:path/2015-03-31/functions/{arn}/invocations"
