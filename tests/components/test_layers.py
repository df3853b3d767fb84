"""The Lambda layers contain byte code for Lambda's Python version, and SDK data only for the functions' SDK calls."""

from __future__ import annotations

import ast
import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import botocore.session
import jmespath
import pytest
from botocore import xform_name
from botocore.loaders import Loader

from components.functions import archives, byte_code, generated_code
from shared import aws
from tools.bench import tables

ONE_CALL: dict[str, tuple[str, dict[str, Any]]] = {
    "dynamodb": ("get_item", {"TableName": "t", "Key": {"order_id": {"S": "1"}}}),
    "events": ("put_events", {"Entries": [{"Source": "orders", "DetailType": "OrderCreated", "Detail": "{}"}]}),
    "s3": ("put_object", {"Bucket": "a-bucket", "Key": "k", "Body": b"x"}),
    "sesv2": ("send_email", {"Content": {"Simple": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}}}),
    "sqs": ("send_message", {"QueueUrl": "https://sqs.ap-northeast-1.amazonaws.com/1/q", "MessageBody": "m"}),
    "stepfunctions": (
        "start_execution",
        {"stateMachineArn": "arn:aws:states:ap-northeast-1:1:stateMachine:m", "name": "n"},
    ),
}
# The first bytes of each byte code file of CPython 3.13 (importlib.util.MAGIC_NUMBER).
MAGIC = bytes.fromhex("f30d0d0a")


def entries(path: object) -> dict[str, bytes]:
    with zipfile.ZipFile(str(path)) as file:
        return {entry.filename: file.read(entry) for entry in file.infolist()}


@pytest.fixture(scope="module")
def layers() -> list[Path]:
    made = (
        archives.powertools_layer_archive("arm64"),
        archives.common_layer_archive(),
    )
    return [Path(str(archive.path)) for archive in made]


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdk")
    for path, content in generated_code.sdk_data().items():
        archives.write(folder / path, content)
    return folder


def test_layers_contain_only_byte_code_for_lambdas_python_version(layers: list[Path]) -> None:
    for layer in layers:
        files = entries(layer)
        assert not [name for name in files if name.endswith(".py")]
        modules = [content for name, content in files.items() if name.endswith(".pyc")]
        assert len(modules) > 20
        assert {content[:4] for content in modules} == {MAGIC}


def test_byte_code_of_unchanged_sources_is_identical() -> None:
    sources = {"python/a.py": b'"""Doc."""\nX = {"a", "b", "c"}\n', "python/b.txt": b"as it is"}
    first, second = byte_code.compiled(sources), byte_code.compiled(sources)
    assert first == second
    assert first.keys() == {"python/a.pyc", "python/b.txt"}
    assert b"Doc." not in first["python/a.pyc"]


def test_compile_error_reports_the_source_file() -> None:
    with pytest.raises(byte_code.BuildError, match=r"/opt/python/broken\.py"):
        byte_code.compiled({"python/broken.py": b"def\n"})


def test_missing_python_is_reported_in_one_line_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byte_code, "PYTHON_VERSION", "3.99")
    with pytest.raises(byte_code.BuildError, match=r"^Python 3\.99, .* Remedy: install Python 3\.99\.$"):
        byte_code.lambda_python.__wrapped__()


def test_layers_can_be_imported_with_lambdas_python_version(layers: list[Path], tmp_path: Path) -> None:
    """The test imports the layers with the Python version that the functions have on Lambda.

    It creates Powertools' logger and metrics, and passes an invalid value to each generated validator.
    """
    script = """
import importlib, os, sys
sys.path[:0] = sys.argv[1:]
os.environ.update(POWERTOOLS_SERVICE_NAME="orders", POWERTOOLS_METRICS_NAMESPACE="orders")
from aws_lambda_powertools import Logger, Metrics
Logger(), Metrics()
from shared.contracts import JsonSchemaValueException, JsonSchemaValuesException
refused = 0
for file in os.listdir(sys.argv[1] + "/shared/checks"):
    if file != "__init__.pyc":
        try:
            importlib.import_module("shared.checks." + file.removesuffix(".pyc")).validate({"unknown": 1})
        except (JsonSchemaValueException, JsonSchemaValuesException):
            refused += 1
print(refused)
"""
    for layer in layers:
        with zipfile.ZipFile(layer) as archive:
            archive.extractall(tmp_path)
    runtime = str(Path(jmespath.__file__).parent.parent)
    done = subprocess.run(  # noqa: S603
        [byte_code.lambda_python(), "-I", "-S", "-c", script, str(tmp_path / "python"), runtime],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) == len(generated_code.schemas())


def test_layer_and_function_archives_stay_below_their_size_limits(layers: list[Path]) -> None:
    """A cold start downloads the archives, and a deployment uploads them. Large archives would slow down both."""
    megabyte = 1_000_000
    assert sum(layer.stat().st_size for layer in layers) <= tables.LAYERS_MB * megabyte
    for handler in archives.FUNCTIONS.glob("*/handler.py"):
        archive = Path(str(archives.function_archive(handler.parent.name).path))
        assert archive.stat().st_size <= tables.FUNCTION_MB * megabyte


def test_sdk_data_covers_exactly_the_calls_of_the_functions() -> None:
    """The functions' own code calls most SDK methods. Powertools' idempotency feature calls four more."""
    named = {
        node.attr
        for path in archives.FUNCTIONS.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
    }
    by_powertools = {"delete_item", "get_item", "put_item", "update_item"}
    loader = Loader()
    for service, operations in generated_code.CALLS.items():
        known: dict[str, str] = {
            xform_name(name): name for name in loader.load_service_model(service, "service-2")["operations"]
        }
        used = {known[method] for method in known if method in named}
        if service == "dynamodb":
            used |= {known[method] for method in by_powertools}
        assert set(operations) == used, service


@pytest.mark.parametrize(("service", "call"), ONE_CALL.items())
def test_trimmed_sdk_data_produces_the_same_request_as_full_data(
    service: str, call: tuple[str, dict[str, Any]], sdk: Path
) -> None:
    def request(data: Loader) -> tuple[str, str, object]:
        session = botocore.session.get_session()
        session.register_component("data_loader", data)
        client = session.create_client(service, "ap-northeast-1")
        seen: list[Any] = []

        def keep(request: Any, **_: object) -> None:
            seen.append(request)
            raise InterruptedError

        client.meta.events.register("before-send", keep)
        with pytest.raises(InterruptedError):
            getattr(client, call[0])(**call[1])
        (sent,) = seen
        return sent.method, sent.url, sent.body.read() if hasattr(sent.body, "read") else sent.body

    trimmed = Loader(extra_search_paths=[str(sdk)], include_default_search_paths=False)
    assert request(trimmed) == request(Loader())


def test_trimmed_sdk_data_is_a_subset_of_botocores_data() -> None:
    data = generated_code.sdk_data()
    model = json.loads(data["dynamodb/2012-08-10/service-2.json"])
    whole = Loader().load_service_model("dynamodb", "service-2")
    assert model["operations"].keys() == set(generated_code.CALLS["dynamodb"])
    assert model["shapes"]["AttributeValue"]["members"].keys() == whole["shapes"]["AttributeValue"]["members"].keys()
    assert "documentation" not in model["operations"]["PutItem"]
    assert sum(len(content) for content in data.values()) < 300_000


def test_sdk_client_uses_botocores_own_data_if_the_layer_lacks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer botocore on Lambda may need data files that the layer lacks.

    In this case, botocore must use the data files of its own package.
    """
    whole = botocore.session.get_session().get_service_model("dynamodb")
    aws.session.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(aws, "OWN_DATA", Path("nothing-is-here"))
        assert aws.client("dynamodb").meta.service_model.operation_names == whole.operation_names
    aws.session.cache_clear()
    assert len(aws.client("dynamodb").meta.service_model.operation_names) == len(generated_code.CALLS["dynamodb"])
