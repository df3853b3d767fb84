"""Archives of the functions and layers: made by the program itself, the same bytes for the same content.

They are kept under `.build/` by a key of everything that they are made of, so that nothing is made twice.
Pulumi compares an archive by its content, so where it lies is no difference.
"""

from __future__ import annotations

import fnmatch
import functools
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.metadata import version
from pathlib import Path
from typing import Final

import pulumi
import uv

from components import compiler, generated_code, openapi

ROOT: Final = Path(__file__).resolve().parent.parent
FUNCTIONS: Final = ROOT / "functions"
BUILD: Final = ROOT / ".build"
LAYER_LOCK: Final = FUNCTIONS / "layers" / "powertools.txt"
PYTHON_VERSION: Final = "3.13"
RUNTIME: Final = f"python{PYTHON_VERSION}"
# uv's names of the platforms of Lambda's architectures. The runtime is Amazon Linux 2023 (glibc 2.34).
PLATFORMS: Final = {"arm64": "aarch64-manylinux2014", "x86_64": "x86_64-manylinux2014"}

LEFT_OUT: Final = (
    # Shows an API's document in a browser.
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*",
    # Utilities that no function uses. Two thirds of the package.
    *(
        f"aws_lambda_powertools/utilities/{utility}/*"
        for utility in (
            "auth_alpha",
            "circuit_breaker",
            "data_masking",
            "feature_flags",
            "kafka",
            "parameters",
            "parser",
            "streaming",
            "validation",
        )
    ),
    # Tracing of what no function has. It does without `wrapt`'s compiled half, too, which is as large as the rest.
    *(
        f"aws_xray_sdk/ext/{library}/*"
        for library in (
            "aiobotocore",
            "aiohttp",
            "bottle",
            "django",
            "flask",
            "flask_sqlalchemy",
            "httplib",
            "httpx",
            "mysql",
            "pg8000",
            "psycopg",
            "psycopg2",
            "pymongo",
            "pymysql",
            "pynamodb",
            "requests",
            "sqlalchemy",
            "sqlalchemy_core",
            "sqlite3",
        )
    ),
    "wrapt/*.so",
    # For compilers and type checkers.
    "*.c",
    "*.pyi",
    "*/py.typed",
)
"""What the packages of the `powertools` layer bring and no function loads, by path."""

_MAKERS: Final = ("compiler.py", "generated_code.py", "packaging.py")
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_FILE_MODE: Final = 0o100644 << 16
_BUILDS: Final = ContextVar("builds", default=True)


@contextmanager
def only_named() -> Generator[None]:
    """Within it no archive is built, and each has its name all the same.

    It is for programs that are run for their resources alone, like that of `make cost`: they need neither Pyodide nor a
    package index.
    """
    before = _BUILDS.set(False)
    try:
        yield
    finally:
        _BUILDS.reset(before)


def function_archive(source: str) -> pulumi.FileArchive:
    """Return the archive of the function in `functions/{source}`: that package alone."""
    folder = FUNCTIONS / source
    if not (folder / "handler.py").is_file():
        raise FileNotFoundError(f"function source: got {source!r}; there is no functions/{source}/handler.py")
    files = dict(_tree(folder, prefix=f"{source}/"))
    return _kept(source.replace("_", "-"), files.items(), lambda: files)


def common_layer_archive(*, byte_code: bool) -> pulumi.FileArchive:
    """Return the `common` layer: functions/shared and what is generated for it."""
    # Tests have what is generated beside the sources.
    own = {
        path: data
        for path, data in _tree(FUNCTIONS / "shared", prefix="python/shared/")
        if not path.startswith(tuple(f"python/shared/{folder}/" for folder in generated_code.FOLDERS))
    }

    def files() -> Mapping[str, bytes]:
        generated = {
            f"python/shared/{folder}/{path}": content
            for folder, generate in generated_code.FOLDERS.items()
            for path, content in generate().items()
        }
        return own | generated

    made_of = [*own.items(), *_tree(openapi.CONTRACTS, prefix="contracts/")]
    return _layer("common-layer", made_of, files, byte_code=byte_code)


def powertools_layer_archive(architecture: str, *, byte_code: bool) -> pulumi.FileArchive:
    """Return the `powertools` layer for `architecture`: the packages of its lock file.

    Raises RuntimeError with uv's own words if the packages cannot be had.
    """

    def files() -> Mapping[str, bytes]:
        sys.stderr.write(f"powertools layer: downloading the packages of {LAYER_LOCK.name} for {architecture}\n")
        with tempfile.TemporaryDirectory() as scratch:
            _install_wheels(Path(scratch), architecture)
            found = dict(_tree(Path(scratch), prefix="python/"))
        return {path: data for path, data in found.items() if not _is_left_out(path.removeprefix("python/"))}

    made_of = [(LAYER_LOCK.name, LAYER_LOCK.read_bytes()), ("architecture", architecture.encode())]
    return _layer(f"powertools-layer-{architecture}", made_of, files, byte_code=byte_code)


def _layer(
    name: str, made_of: Iterable[tuple[str, bytes]], files: Callable[[], Mapping[str, bytes]], *, byte_code: bool
) -> pulumi.FileArchive:
    """Return a layer's archive."""

    def content() -> Mapping[str, bytes]:
        return compiler.compiled(files()) if byte_code else files()

    return _kept(f"{name}{'-compiled' if byte_code else ''}", made_of, content)


@functools.cache
def _makers() -> tuple[tuple[str, bytes], ...]:
    """Return what makes archives: one that an older program made is of no use."""
    own = (Path(__file__).with_name(name) for name in _MAKERS)
    sources = [
        *own,
        *(path for path in sorted(compiler.SOURCES.iterdir()) if path.is_file() and path.stem != LAYER_LOCK.stem),
    ]
    packages = ((package, version(package).encode()) for package in ("botocore", "fastjsonschema"))
    return (*((path.name, path.read_bytes()) for path in sources), *packages)


def _kept(
    name: str, made_of: Iterable[tuple[str, bytes]], files: Callable[[], Mapping[str, bytes]]
) -> pulumi.FileArchive:
    """Return the archive of `files`, made unless there is one that was made of the same, or within `only_named`."""
    inputs = [*sorted(made_of), *_makers()]
    key = hashlib.sha256(b"".join(part for path, data in inputs for part in (path.encode(), b"\0", data, b"\0")))
    path = BUILD / f"{name}-{key.hexdigest()[:16]}.zip"
    if _BUILDS.get() and not path.is_file():
        write(path, _zip(files().items()))
    return pulumi.FileArchive(os.path.relpath(path))


def _is_left_out(path: str) -> bool:
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in LEFT_OUT)


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


def write(path: Path, data: bytes) -> None:
    """Write `data` whole or not at all: programs of several stacks may build at once."""
    if path.is_file() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, scratch = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    Path(scratch).replace(path)


if __name__ == "__main__":
    # Builds the layers ahead of the tests, which do not reach the network.
    for compiled in (False, True):
        powertools_layer_archive(sys.argv[1], byte_code=compiled)
        common_layer_archive(byte_code=compiled)
