"""Generates the files that the common layer contains in addition to functions/shared, to speed up cold starts.

- `shared/checks/*.py`: validators, generated from the schemas in contracts/. Compiling the schemas at import would take
  up to a third of the time of `boto3.client("dynamodb")`.
- `shared/sdk/`: botocore's data for the operations that the functions call. With botocore's complete data, creating a
  client would take four times as long. botocore would list more than 400 folders, and would read a megabyte of data
  (all endpoints and complete service models).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from components.aws import openapi

if TYPE_CHECKING:
    from botocore.loaders import Loader

CALLS: Final[Mapping[str, tuple[str, ...]]] = {
    "dynamodb": ("BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query", "TransactWriteItems", "UpdateItem"),
    "events": ("PutEvents",),
    "s3": ("PutObject",),
    "sesv2": ("SendEmail",),
    "sqs": ("ChangeMessageVisibility", "SendMessage"),
    "stepfunctions": ("StartExecution",),
}
"""Every AWS operation that a function calls, by botocore's name of the service. Clients can call only these."""

_DRAFT: Final = "http://json-schema.org/draft-04/schema#"
_GENERATED: Final = '"""Generated from contracts/."""\n\n'
# Every boto3 client reads these data files of botocore.
_SHARED_DATA: Final = ("_retry", "endpoints", "partitions", "sdk-default-configuration")


def checks() -> dict[str, bytes]:
    """Return the validators as Python modules, by path under `shared/checks/`: one per request body and per event.

    Each module has a function `validate(data)`. For an invalid event, `validate` raises JsonSchemaValueException with
    the first violation. For an invalid request, it raises JsonSchemaValuesException with all violations. Both
    exceptions are defined in shared.contracts.
    """
    events = {path.stem for path in _event_schemas()}
    code = {
        f"{name}.py": _code(_without_annotations(schema), fast_fail=name in events)
        for name, schema in schemas().items()
    }
    return {"__init__.py": _GENERATED.encode(), **code}


def _without_annotations(schema: Any) -> Any:
    """Return the schema without its descriptions and titles, so that a new description does not change the code."""
    if isinstance(schema, Mapping):
        fields = cast("Mapping[str, Any]", schema)
        return {
            key: _without_annotations(value)
            for key, value in fields.items()
            # Leave out `description` and `title` only if they are texts. In `properties`, such a key is the name of a
            # field, and its value is a schema.
            if not (key in ("description", "title") and isinstance(value, str))
        }
    if isinstance(schema, list):
        return [_without_annotations(each) for each in cast("list[Any]", schema)]
    return schema


def schemas() -> dict[str, Mapping[str, Any]]:
    """Return the self-contained schema of each request body and event, by operation id or name of the event."""
    found: dict[str, Mapping[str, Any]] = {}
    for name in ("rest-api.yaml", "http-api.yaml"):
        for operation in openapi.operations(openapi.load(name)):
            if operation.request_schema is not None:
                found[operation.operation_id] = operation.request_schema
    for path in _event_schemas():
        found[path.stem] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _event_schemas() -> list[Path]:
    return sorted((openapi.CONTRACTS / "events").glob("*.json"))


def sdk_data() -> dict[str, bytes]:
    """Return the files of `shared/sdk/` by path: botocore's files, reduced to the operations in CALLS."""
    # The import takes 30 ms, and only a new build of the layer needs it. It is therefore not at the top of the module.
    from botocore.loaders import Loader  # noqa: PLC0415

    loader = Loader()
    files: dict[str, Any] = {f"{name}.json": loader.load_data(name) for name in _SHARED_DATA}
    for partition in files["endpoints.json"]["partitions"]:
        known = partition["services"]
        partition["services"] = {name: known[name] for name in known if name in _endpoint_prefixes(loader)}
    for service, operations in CALLS.items():
        version = loader.determine_latest_version(service, "service-2")
        model = loader.load_service_model(service, "service-2", version)
        files[f"{service}/{version}/service-2.json"] = _trimmed(model, operations)
        rules = "endpoint-rule-set-1"
        files[f"{service}/{version}/{rules}.json"] = loader.load_service_model(service, rules, version)
    return {path: _json(content) for path, content in files.items()}


def _code(schema: Mapping[str, Any], *, fast_fail: bool) -> bytes:
    import fastjsonschema  # noqa: PLC0415 - the import is slow, and only a new build of the layer needs it

    # API Gateway validates request bodies with JSON Schema draft 4, which does not accept 1.0 as an integer. A
    # validator for a later draft would accept it.
    code = fastjsonschema.compile_to_code({"$schema": _DRAFT, **schema}, fast_fail=fast_fail)
    # The generated code must not import fastjsonschema, which is not installed in Lambda.
    own = code.replace(
        "from fastjsonschema import JsonSchemaValueException, JsonSchemaValuesException\n",
        "from shared.contracts import JsonSchemaValueException, JsonSchemaValuesException\n",
    )
    if own == code:
        raise ValueError("fastjsonschema generated unexpected imports; adapt components/functions/generated_code.py")
    return (_GENERATED + own).encode()


def _endpoint_prefixes(loader: Loader) -> set[str]:
    models = (loader.load_service_model(service, "service-2") for service in CALLS)
    return {model["metadata"]["endpointPrefix"] for model in models}


def _trimmed(model: Mapping[str, Any], operations: tuple[str, ...]) -> dict[str, Any]:
    """Return the model of a service, reduced to `operations` and the shapes that they refer to."""
    kept = {name: model["operations"][name] for name in operations}
    shapes: dict[str, Any] = {}
    wanted = list(_references(kept))
    while wanted:
        name = wanted.pop()
        if name not in shapes:
            shapes[name] = model["shapes"][name]
            wanted += _references(shapes[name])
    # Only operations, shapes and the model itself lose their documentation. Other parts keep their documentation,
    # because botocore reads the documentation of `clientContextParams`.
    trimmed = {"operations": _undocumented(kept), "shapes": _undocumented(dict(sorted(shapes.items())))}
    return {name: part for name, part in model.items() if name != "documentation"} | trimmed


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in cast("dict[str, object]", node).items():
            if key == "shape" and isinstance(value, str):
                yield value
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for value in cast("list[object]", node):
            yield from _references(value)


def _undocumented(node: Any) -> Any:
    """Return `node`, a part of a model, without its documentation."""
    if isinstance(node, dict):
        entries = cast("dict[str, Any]", node).items()
        return {
            key: _undocumented(value) for key, value in entries if key != "documentation" or isinstance(value, dict)
        }
    if isinstance(node, list):
        return [_undocumented(value) for value in cast("list[object]", node)]
    return node


def _json(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


FOLDERS: Final[Mapping[str, Callable[[], dict[str, bytes]]]] = {"checks": checks, "sdk": sdk_data}
"""Maps each generated folder under `shared/` to the function that generates its files."""
