"""Runs the Pulumi program, or a part of it, with Pulumi's mocks, and records every resource that it registers."""

from __future__ import annotations

import json
import os
import runpy
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import pulumi_yaml
from components.functions import archives
from engine import program as engine

ROOT: Final = Path(__file__).resolve().parent.parent
ACCOUNT: Final = "123456789012"
_HTTP_API_ID: Final = "http-id"
REGION: Final = "ap-northeast-1"


@dataclass(frozen=True)
class Resource:
    """One registered resource."""

    type: str
    """Pulumi type token, for example aws:sqs/queue:Queue."""
    name: str
    """Logical name."""
    inputs: Mapping[str, Any]
    """Inputs in the form that the provider receives: camelCase keys and resolved values."""
    state: Mapping[str, Any]
    """Inputs and outputs. The outputs that AWS would compute have invented values."""
    parent: str
    """URN of the parent."""
    urn: str
    custom: bool
    protect: bool
    retain_on_delete: bool
    dependencies: tuple[str, ...]
    """URNs of the resources that this resource depends on."""
    made_from: Mapping[str, frozenset[str]]
    """Maps the name of each input to the URNs of the resources whose outputs the input contains."""
    delete_before_replace: bool


@dataclass
class Graph:
    """All resources and outputs that one run of the program registered."""

    stack: str
    resources: list[Resource] = field(default_factory=list[Resource])
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    components_with_outputs: set[str] = field(default_factory=set[str])
    """URNs of components that called register_outputs."""

    def of(self, type_token: str) -> list[Resource]:
        """Return the resources of a type. `type_token` is the whole token or its last part, for example `Queue`.

        With only the last part, resources of CloudFront are left out. Otherwise, `Function` would find CloudFront
        functions as well as Lambda functions.
        """
        return [
            r
            for r in self.resources
            if r.type == type_token
            or (r.type.rsplit(":", 1)[-1] == type_token and not r.type.startswith("aws:cloudfront/"))
        ]

    def one(self, type_token: str, name: str) -> Resource:
        """Return the resource with this type and logical name. Raises AssertionError unless there is exactly one."""
        found = [resource for resource in self.of(type_token) if resource.name == name]
        if len(found) != 1:
            raise AssertionError(
                f"{type_token} {name!r}: got {len(found)} resources; "
                f"allowed: one of {[r.name for r in self.of(type_token)]}"
            )
        return found[0]

    def policy(self, type_token: str, name: str, key: str = "policy") -> list[dict[str, Any]]:
        """Return the statements of a policy. The resource `name` has the policy as JSON text in its input `key`."""
        return cast("list[dict[str, Any]]", json.loads(self.one(type_token, name).inputs[key])["Statement"])

    def children(self, urn: str) -> Iterator[Resource]:
        """Yield the resources whose parent is `urn`."""
        return (resource for resource in self.resources if resource.parent == urn)


class _Recorder:
    """Records each resource that the program registers, and invents the outputs that AWS would compute.

    With `unknown`, all outputs that AWS would compute stay unknown, as in the first preview of a stack.
    """

    account, region = ACCOUNT, REGION

    def __init__(self, graph: Graph, *, unknown: bool) -> None:
        self._graph, self._unknown = graph, unknown
        self._lock = threading.Lock()

    def register(self, registration: engine.Registration) -> tuple[str, Mapping[str, Any]]:
        kind, name, inputs = registration.type, registration.name, registration.known_inputs
        identity, state = name, inputs
        if self._unknown:
            identity = ""
        elif registration.custom:
            identity, state = computed_id(kind, name, inputs), {**computed(kind, name, inputs), **inputs}
        resource = Resource(
            type=kind,
            name=name,
            inputs=registration.inputs,
            state=state,
            parent=registration.parent,
            urn=registration.urn,
            custom=registration.custom,
            protect=registration.protect,
            retain_on_delete=registration.retain_on_delete,
            dependencies=registration.dependencies,
            made_from=registration.made_from,
            delete_before_replace=registration.delete_before_replace,
        )
        with self._lock:
            self._graph.resources.append(resource)
        return identity, state

    def register_outputs(self, urn: str) -> None:
        with self._lock:
            self._graph.components_with_outputs.add(urn)


def computed_id(type_token: str, name: str, inputs: Mapping[str, Any]) -> str:
    """Return an invented id for the resource `name`, in the format that AWS uses."""
    kind = type_token.rsplit(":", 1)[-1]
    if kind in ("Role", "Table", "Function", "LogGroup", "EventBus", "EventRule"):
        return str(inputs.get("name", name))
    if kind == "Queue":
        return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{inputs['name']}"
    if kind == "UserPool":
        return f"{REGION}_POOL"
    if kind == "Api":
        return _HTTP_API_ID
    return f"{name}-id"


def computed(type_token: str, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return invented outputs for the resource `name`, in the format that AWS uses."""
    module, kind = type_token.split(":")[1].split("/", maxsplit=1)[0], type_token.rsplit(":", 1)[-1]
    # The AWS provider appends a unique number to a name prefix. The graph omits this number. Two runs of the same
    # program therefore record equal graphs.
    prefix = str(inputs.get("namePrefix", "")).removesuffix("-")
    physical = inputs.get("name") or inputs.get("bucket") or prefix or name
    arn = f"arn:aws:{module}:{REGION}:{ACCOUNT}:{kind.lower()}/{physical}"
    exact: dict[str, dict[str, Any]] = {
        "Role": {"arn": f"arn:aws:iam::{ACCOUNT}:role/{physical}", "name": physical},
        "Queue": {"arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{physical}", "url": computed_id(type_token, name, inputs)},
        "Topic": {"arn": f"arn:aws:sns:{REGION}:{ACCOUNT}:{physical}"},
        "Bucket": {
            "arn": f"arn:aws:s3:::{physical}",
            "bucketRegionalDomainName": f"{physical}.s3.{REGION}.amazonaws.com",
        },
        "Table": {
            "arn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{physical}",
            "streamArn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{physical}/stream/2026-01-01T00:00:00.000",
        },
        "LogGroup": {"arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{physical}"},
        "EventBus": {"arn": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{physical}"},
        "EventRule": {"arn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{rule_path(inputs)}{physical}"},
        "EventArchive": {"arn": f"arn:aws:events:{REGION}:{ACCOUNT}:archive/{physical}"},
        "StateMachine": {"arn": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{physical}"},
        "RestApi": {
            "rootResourceId": "root",
            "executionArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{name}-id",
            "arn": f"arn:aws:apigateway:{REGION}::/restapis/{name}-id",
        },
        "LayerVersion": {"arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{inputs.get('layerName')}:1", "version": "1"},
        "MetricAlarm": {"arn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{physical}"},
        "UserPool": {"arn": f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{REGION}_POOL"},
    }
    if kind in exact:
        return {"arn": arn, **exact[kind]}
    return {"arn": arn, **_computed_of_endpoints(type_token, inputs)}


def rule_path(inputs: Mapping[str, Any]) -> str:
    """Return the part of a rule's ARN before the rule's name: `BUS/`, or "" for a rule of the default bus."""
    bus = inputs.get("eventBusName", "default")
    return "" if bus == "default" else f"{bus}/"


def _computed_of_endpoints(type_token: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    if type_token.startswith(("aws:cloudfront/", "aws:acm/", "aws:route53/")):
        return _computed_of_sites(type_token, inputs)
    kind, base = type_token.rsplit(":", 1)[-1], f"arn:aws:lambda:{REGION}:{ACCOUNT}:function"
    invoke = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions"
    if kind == "Function":
        arn = f"{base}:{inputs['name']}"
        return {"arn": arn, "version": "1", "invokeArn": f"{invoke}/{arn}/invocations", "qualifiedArn": f"{arn}:1"}
    if type_token.startswith("aws:lambda/alias:"):
        arn = f"{base}:{inputs['functionName']}:{inputs['name']}"
        return {"arn": arn, "invokeArn": f"{invoke}/{arn}/invocations"}
    if kind == "Stage" and "apigatewayv2" not in type_token:
        host = f"https://{inputs['restApi']}.execute-api.{REGION}.amazonaws.com"
        return {
            "invokeUrl": f"{host}/{inputs['stageName']}",
            "arn": f"arn:aws:apigateway:{REGION}::/restapis/{inputs['restApi']}/stages/{inputs['stageName']}",
        }
    if kind == "Stage":
        return {"invokeUrl": f"https://{inputs['apiId']}.execute-api.{REGION}.amazonaws.com/"}
    if kind == "Api":
        return {
            "apiEndpoint": f"https://{_HTTP_API_ID}.execute-api.{REGION}.amazonaws.com",
            "executionArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{_HTTP_API_ID}",
        }
    if kind == "EmailIdentity":
        return {"arn": f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{inputs['emailIdentity']}"}
    return {}


def _computed_of_sites(type_token: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    match type_token.rsplit("/", 1)[-1]:
        case "distribution:Distribution":
            return {
                "arn": f"arn:aws:cloudfront::{ACCOUNT}:distribution/E123",
                "domainName": "d111abc.cloudfront.net",
                "hostedZoneId": "Z2FDTNDATAQYW2",
            }
        case "function:Function":
            return {"arn": f"arn:aws:cloudfront::{ACCOUNT}:function/{inputs['name']}"}
        case "certificate:Certificate":
            domain = inputs["domainName"]
            record = {"domainName": domain, "resourceRecordName": f"_x.{domain}.", "resourceRecordType": "CNAME"}
            return {
                "arn": f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/123",
                "domainValidationOptions": [{**record, "resourceRecordValue": "_y.acm-validations.aws."}],
            }
        case "record:Record":
            return {"fqdn": str(inputs["name"]).removesuffix(".")}
        case _:
            return {}


def stack_config(stack: str) -> dict[str, str]:
    """Return the configuration in the file of `stack`, in the form that the Pulumi CLI passes to the program."""
    document = pulumi_yaml.read(ROOT / f"Pulumi.{stack}.yaml")
    return {key: pulumi_yaml.config_text(value) for key, value in document["config"].items()}


def run(
    program: Callable[[], None], stack: str = "dev", *, unknown: bool = False, config: Mapping[str, str] | None = None
) -> Graph:
    """Run `program` with mocks, and return the recorded graph. Raises whatever `program` raises.

    `config` replaces the configuration in the file of `stack`. With `unknown`, the outputs that AWS would compute are
    unknown, as in the first preview of a stack.
    """
    os.environ["PULUMI_ERROR_OUTPUT_STRING"] = "1"
    graph = Graph(stack)
    where = engine.Stack(
        project="orders", name=stack, config=stack_config(stack) if config is None else config, preview=unknown
    )
    graph.outputs.update(engine.run(program, where, _Recorder(graph, unknown=unknown)))
    return graph


def record(
    stack: str, *, unknown: bool = False, config: Mapping[str, str] | None = None, build_archives: bool = True
) -> Graph:
    """Run the whole Pulumi program with the settings of `stack`, and return the recorded graph.

    `unknown` and `config` have the same meaning as for `run`. With `build_archives=False`, the run does not build the
    archives of functions and layers, and downloads no packages.
    """

    def program() -> None:
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

    with nullcontext() if build_archives else archives.only_named():
        return run(program, stack, unknown=unknown, config=config)
