"""A stand-in for pulumi-resource-aws, which stores resources in a file instead of creating them on AWS.

The stand-in checks the names of resources, but not their other values. If a resource already exists, its creation fails
or overwrites the existing resource, as on AWS. A deletion removes the resource with the given name even if another
stack created the resource, as on AWS.

Environment variables: STAND_IN_CLOUD is the folder of the file. STAND_IN_FAIL="create=TEXT;delete=TEXT" makes
create and delete calls fail for each URN that contains TEXT. STAND_IN_DELAY is the duration of a creation in seconds.
The resource starts to exist after half of this time.
"""

from __future__ import annotations

import json
import os
import time
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, Never, cast

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from tests.engine.stand_in import kinds, plugin
from tests.engine.stand_in.cloud import Cloud

_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"
_UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
VERSION: Final = os.environ.get("STAND_IN_VERSION", "7.51.1")

_pb: Any = provider_pb2


def _plain(value: Any) -> Any:
    """Return a copy of `value` in which each secret is replaced by its plain value."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        if fields.get(_SIGNATURE) == _SECRET:
            return _plain(fields.get("value"))
        return {key: _plain(item) for key, item in fields.items()}
    if isinstance(value, list):
        return [_plain(item) for item in cast("list[Any]", value)]
    return value


def _from(struct: Any) -> dict[str, Any]:
    return json_format.MessageToDict(struct)


def _struct(values: dict[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    json_format.ParseDict(values, struct)
    return struct


def _refuse_if_asked(call: str, urn: str, context: Any) -> None:
    for rule in filter(None, os.environ.get("STAND_IN_FAIL", "").split(";")):
        verb, _, text = rule.partition("=")
        if verb == call and text in urn:
            context.abort(grpc.StatusCode.INTERNAL, "AccessDenied: requested by STAND_IN_FAIL")


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """The service that a provider offers to Pulumi. Pulumi's protocol defines the names of the methods."""

    # ruff: noqa: N802, ARG002

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def Handshake(self, request: Any, context: Any) -> Any:
        return _pb.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=VERSION)

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def GetSchema(self, request: Any, context: Any) -> Any:
        return _pb.GetSchemaResponse(schema=json.dumps({"name": "aws", "version": VERSION}))

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return _pb.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return _pb.DiffResponse(changes=_pb.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:
        return _pb.ConfigureResponse(acceptSecrets=True, supportsPreview=True, acceptResources=True)

    def Invoke(self, request: Any, context: Any) -> Any:
        account, region = kinds.ACCOUNT, kinds.REGION
        answers: dict[str, dict[str, str]] = {
            "aws:index/getCallerIdentity:getCallerIdentity": {
                "accountId": account,
                "arn": f"arn:aws:iam::{account}:user/stand-in",
                "userId": "stand-in",
                "id": account,
            },
            "aws:index/getRegion:getRegion": {"region": region, "name": region, "id": region},
            "aws:index/getPartition:getPartition": {
                "partition": "aws",
                "dnsSuffix": "amazonaws.com",
                "id": "aws",
                "reverseDnsPrefix": "com.amazonaws",
            },
        }
        if request.tok not in answers:
            context.abort(
                grpc.StatusCode.UNIMPLEMENTED,
                f"{request.tok}: no result for this call; add one to tests/engine/stand_in/provider.py",
            )
        result = _pb.InvokeResponse()
        getattr(result, "return").CopyFrom(_struct(answers[request.tok]))
        return result

    def Check(self, request: Any, context: Any) -> Any:
        news, type_ = _from(request.news), kinds.type_of(request.urn)
        if type_ not in kinds.KINDS:
            context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                f"{type_}: unknown resource type; add it to tests/engine/stand_in/kinds.py",
            )
        name = kinds.KINDS[type_].auto_name
        if name and name not in news:
            olds = _from(request.olds)
            kept = name in olds.get("__defaults", []) and name in olds
            start = news.get(f"{name}Prefix") or f"{request.urn.rsplit('::', 1)[-1]}-"
            news[name] = olds[name] if kept else f"{start}{request.randomSeed.hex()[:7]}"
            # Like the real provider, list the generated inputs under the key `__defaults`.
            news["__defaults"] = [name]
        return _pb.CheckResponse(inputs=_struct(news))

    def Diff(self, request: Any, context: Any) -> Any:
        type_ = kinds.type_of(request.urn)
        kind = kinds.KINDS[type_]
        olds: dict[str, Any] = _plain(_from(request.old_inputs))
        news: dict[str, Any] = _plain(_from(request.news))
        ignored = {*request.ignoreChanges, "__defaults"}
        changed = [key for key in sorted({*olds, *news} - ignored) if olds.get(key) != news.get(key)]
        if not changed:
            return _pb.DiffResponse(changes=_pb.DiffResponse.DIFF_NONE)
        replaces = [key for key in changed if kind.replaces(key, type_)]
        name = kind.auto_name
        # AWS does not allow two resources of one type with the same name. If the program sets the name, Pulumi must
        # therefore delete the old resource before it creates the new one. Like the real provider, request this with
        # `deleteBeforeReplace`.
        first = bool(replaces and name and name not in changed and name not in news.get("__defaults", []))
        update, replace = _pb.PropertyDiff.UPDATE, _pb.PropertyDiff.UPDATE_REPLACE
        return _pb.DiffResponse(
            changes=_pb.DiffResponse.DIFF_SOME,
            diffs=changed,
            replaces=replaces,
            deleteBeforeReplace=first,
            hasDetailedDiff=True,
            detailedDiff={
                key: _pb.PropertyDiff(kind=replace if key in replaces else update, inputDiff=True) for key in changed
            },
        )

    def Create(self, request: Any, context: Any) -> Any:
        type_, inputs = kinds.type_of(request.urn), _from(request.properties)
        if request.preview:
            return _pb.CreateResponse(id="", properties=_struct(inputs))
        plain: dict[str, Any] = _plain(inputs)
        if _UNKNOWN in json.dumps(plain):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{request.urn} is created with an unknown value")
        _refuse_if_asked("create", request.urn, context)
        self._delay()
        kind = kinds.KINDS[type_]
        with self._cloud.locked() as things:
            id_, computed = kind.computed(plain, request.urn, self._cloud.next_number())
            who = kind.identity(plain) or id_
            there = things.get(f"{type_}|{who}")
            owner = there and there["urn"]
            refusal = kinds.refuses_creation(type_, plain, there and _plain(there["inputs"]), things)
            if refusal:
                self._cloud.note("refused", request.urn, identity=who, owner=owner, why=refusal)
            else:
                if there:
                    id_, computed = there["id"], there["computed"]
                things[f"{type_}|{who}"] = {
                    "type": type_,
                    "id": id_,
                    "urn": request.urn,
                    "inputs": inputs,
                    "computed": computed,
                }
                self._cloud.note("put over" if there else "create", request.urn, identity=who, owner=owner)
        if refusal:
            self._abort(context, grpc.StatusCode.ALREADY_EXISTS, type_, who, refusal)
        self._delay()
        return _pb.CreateResponse(id=id_, properties=_struct({**inputs, **computed}))

    def Update(self, request: Any, context: Any) -> Any:
        type_, news = kinds.type_of(request.urn), _from(request.news)
        publishes = type_ == "aws:lambda/function:Function" and self._publishes(_from(request.old_inputs), news)
        if request.preview:
            unknown = dict.fromkeys(("version", "qualifiedArn"), _UNKNOWN) if publishes else {}
            return _pb.UpdateResponse(properties=_struct({**_from(request.olds), **news, **unknown}))
        _refuse_if_asked("update", request.urn, context)
        computed: dict[str, Any] = {}
        with self._cloud.locked() as things:
            key = kinds.find(type_, _plain(_from(request.old_inputs)), request.id, things)
            there = things.get(key)
            who = kinds.KINDS[type_].identity(_plain(news)) or request.id
            new_key = f"{type_}|{who}"
            refusal = None if there else "not found"
            if new_key != key:
                others = {name: thing for name, thing in things.items() if name != key}
                owner = things.get(new_key)
                refusal = refusal or kinds.refuses_creation(type_, _plain(news), owner and owner["inputs"], others)
            if refusal or not there:
                self._cloud.note("refused", request.urn, identity=who, why=refusal)
            else:
                computed = dict(there["computed"])
                if publishes:
                    computed["version"] = str(int(computed["version"]) + 1)
                    computed["qualifiedArn"] = f"{computed['arn']}:{computed['version']}"
                del things[key]
                things[new_key] = {**there, "urn": request.urn, "inputs": news, "computed": computed}
                self._cloud.note("update", request.urn, identity=who)
        if refusal:
            self._abort(context, grpc.StatusCode.FAILED_PRECONDITION, type_, who, refusal)
        return _pb.UpdateResponse(properties=_struct({**news, **computed}))

    def Read(self, request: Any, context: Any) -> Any:
        type_ = kinds.type_of(request.urn)
        # As in the real provider, a request without properties is an import, and its id is an import id. The import id
        # often differs from the id of the resource. For example, a Lambda alias has the import id "FUNCTION/ALIAS", but
        # its id is its ARN.
        id_of = itemgetter("id") if request.properties.fields else kinds.imported_as
        with self._cloud.locked() as things:
            for thing in things.values():
                if thing["type"] == type_ and id_of(thing) == request.id:
                    properties = _struct({**thing["inputs"], **thing["computed"]})
                    self._cloud.note("read", request.urn, identity=thing["id"])
                    return _pb.ReadResponse(id=thing["id"], inputs=_struct(thing["inputs"]), properties=properties)
        self._cloud.note("not found", request.urn, identity=request.id)
        return _pb.ReadResponse()

    def Delete(self, request: Any, context: Any) -> Any:
        type_ = kinds.type_of(request.urn)
        inputs: dict[str, Any] = _plain(_from(request.old_inputs)) or _plain(_from(request.properties))
        _refuse_if_asked("delete", request.urn, context)
        with self._cloud.locked() as things:
            key = kinds.find(type_, inputs, request.id, things)
            there, who = things.get(key), key.partition("|")[2]
            refusal = kinds.refuses_deletion(type_, _plain(there["inputs"]), there["id"], things) if there else None
            if refusal:
                self._cloud.note("refused", request.urn, identity=who, owner=there and there["urn"], why=refusal)
            else:
                things.pop(key, None)
                self._cloud.note("delete", request.urn, identity=who, owner=there and there["urn"])
        if refusal:
            self._abort(context, grpc.StatusCode.FAILED_PRECONDITION, type_, who, refusal)
        return empty_pb2.Empty()

    @staticmethod
    def _delay() -> None:
        time.sleep(float(os.environ.get("STAND_IN_DELAY", "0")) / 2)

    @staticmethod
    def _publishes(olds: dict[str, Any], news: dict[str, Any]) -> bool:
        """Return whether an update of a Lambda function publishes a version.

        An update that changes only tags or the reserved concurrency publishes none.
        """
        changed = {key for key in {*olds, *news} if _plain(olds.get(key)) != _plain(news.get(key))}
        return bool(news.get("publish") and changed - {"tags", "tagsAll", "reservedConcurrentExecutions", "__defaults"})

    @staticmethod
    def _abort(context: Any, code: Any, type_: str, who: str, refusal: str) -> Never:
        context.abort(code, f"{type_} {who}: {refusal}")
        raise AssertionError("abort returned")


def main() -> None:
    """Run the provider as a plugin of the Pulumi CLI."""
    _grpc: Any = provider_pb2_grpc
    provider = Provider(Cloud(Path(os.environ["STAND_IN_CLOUD"])))
    plugin.serve(lambda server: _grpc.add_ResourceProviderServicer_to_server(provider, server))


if __name__ == "__main__":
    main()
