"""Archives of the functions and layers: made by the program itself, the same bytes for the same content.

They are kept under `.build/`. Pulumi compares an archive by its content, so where it lies is no difference.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pulumi
import uv

from components import openapi

ROOT: Final = Path(__file__).resolve().parent.parent
FUNCTIONS: Final = ROOT / "functions"
BUILD: Final = ROOT / ".build"
LAYER_LOCK: Final = FUNCTIONS / "layers" / "powertools.txt"
PYTHON_VERSION: Final = "3.13"
RUNTIME: Final = f"python{PYTHON_VERSION}"
# uv's names of the platforms of Lambda's architectures. The runtime is Amazon Linux 2023 (glibc 2.34).
PLATFORMS: Final = {"arm64": "aarch64-manylinux2014", "x86_64": "x86_64-manylinux2014"}

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_FILE_MODE: Final = 0o100644 << 16


def function_archive(source: str) -> pulumi.FileArchive:
    """Return the archive of the function in `functions/{source}`: that package alone."""
    folder = FUNCTIONS / source
    if not (folder / "handler.py").is_file():
        raise FileNotFoundError(f"function source: got {source!r}; there is no functions/{source}/handler.py")
    return _archive(source.replace("_", "-"), _tree(folder, prefix=f"{source}/"))


def common_layer_archive() -> pulumi.FileArchive:
    """Return the `common` layer: functions/shared, and the schemas of contracts/ that its handlers check with."""
    files = dict(_tree(FUNCTIONS / "shared", prefix="python/shared/"))
    files["python/shared/contracts.json"] = render_contracts()
    return _archive("common-layer", files.items())


def powertools_layer_archive(architecture: str) -> pulumi.FileArchive:
    """Return the `powertools` layer for `architecture`, downloaded and built once for each content of its lock file.

    Raises RuntimeError with uv's own words if the packages cannot be had.
    """
    key = hashlib.sha256(LAYER_LOCK.read_bytes() + f"{architecture} {PYTHON_VERSION}".encode()).hexdigest()[:16]
    path = BUILD / f"powertools-layer-{architecture}-{key}.zip"
    if not path.is_file():
        sys.stderr.write(f"powertools layer: downloading the packages of {LAYER_LOCK.name} for {architecture}\n")
        with tempfile.TemporaryDirectory() as scratch:
            _install_wheels(Path(scratch), architecture)
            _write(path, _zip(_tree(Path(scratch), prefix="python/")))
    return pulumi.FileArchive(os.path.relpath(path))


def render_contracts() -> bytes:
    """Return contracts.json: the request schema of each operation and the schema of each event, self-contained."""
    requests: dict[str, Any] = {}
    for name in ("rest-api.yaml", "http-api.yaml"):
        for operation in openapi.operations(openapi.load(name)):
            requests[operation.operation_id] = {"request": operation.request_schema}
    events: Mapping[str, Any] = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((openapi.CONTRACTS / "events").glob("*.json"))
    }
    return json.dumps({"operations": requests, "events": events}, sort_keys=True, separators=(",", ":")).encode()


def _install_wheels(target: Path, architecture: str) -> None:
    # --no-deps: the lock is complete, and what the runtime brings (boto3) is left out of it on purpose.
    arguments = ["pip", "install", "--quiet", "--target", str(target), "--require-hashes", "--no-deps"]
    arguments += ["--only-binary", ":all:", "--python-platform", PLATFORMS[architecture]]
    arguments += ["--python-version", PYTHON_VERSION, "--requirement", str(LAYER_LOCK)]
    done = subprocess.run(  # noqa: S603 - fixed arguments
        [uv.find_uv_bin(), *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(
            f"powertools layer: uv could not install {LAYER_LOCK.name} for {architecture}: "
            f"{done.stderr.strip()[-500:]}. Remedy: check that this machine reaches its Python package index."
        )
    shutil.rmtree(target / "bin", ignore_errors=True)


def _tree(folder: Path, *, prefix: str) -> Iterable[tuple[str, bytes]]:
    """Yield the files that belong into an archive: no byte code of this machine, no installer's records."""
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if not path.is_file() or "__pycache__" in relative.parts or path.name.startswith("."):
            continue
        if relative.parts[0].endswith(".dist-info") and path.name not in {"METADATA", "WHEEL", "LICENSE"}:
            continue
        yield prefix + relative.as_posix(), path.read_bytes()


def _archive(name: str, files: Iterable[tuple[str, bytes]]) -> pulumi.FileArchive:
    path = BUILD / f"{name}.zip"
    _write(path, _zip(files))
    return pulumi.FileArchive(os.path.relpath(path))


def _zip(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a zip whose bytes depend on names and contents alone: sorted, one time, one mode."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = _FILE_MODE
            entry.create_system = 3  # Unix, on whatever machine it is made
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return buffer.getvalue()


def _write(path: Path, data: bytes) -> None:
    """Write `data` whole or not at all: programs of several stacks may build at once."""
    if path.is_file() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, scratch = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    Path(scratch).replace(path)


if __name__ == "__main__":
    # Builds the layer ahead of the tests, which do not reach the network.
    powertools_layer_archive(sys.argv[1])
