"""Builds the zip archives of functions and layers. Equal sources give equal bytes on every machine.

The folder `.build/` caches each archive under a hash of its sources, so an unchanged archive is not built again. Pulumi
compares archives by their content, so the path of an archive does not matter.
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
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import pulumi
import uv

from components.aws import openapi
from components.functions import generated_code
from components.functions.byte_code import PYTHON_VERSION, SCRIPT, BuildError, compiled

ROOT: Final = Path(__file__).resolve().parents[2]
FUNCTIONS: Final = ROOT / "functions"
BUILD: Final = ROOT / ".build"
LAYER_LOCK: Final = FUNCTIONS / "layers" / "powertools.txt"
RUNTIME: Final = f"python{PYTHON_VERSION}"
# The keys are Lambda's architectures, and the values are uv's platform names. A manylinux2014 wheel requires glibc 2.17
# or later, and Lambda's runtime (Amazon Linux 2023) has glibc 2.34.
PLATFORMS: Final = {"arm64": "aarch64-manylinux2014", "x86_64": "x86_64-manylinux2014"}

LEFT_OUT: Final = (
    # These files are a web page that shows an OpenAPI document. No function serves this page.
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*",
    # No function uses these utilities, which make up two thirds of Powertools.
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
    # These modules of the X-Ray SDK trace libraries that no function uses.
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
    # The X-Ray SDK also works without the compiled part of the package wrapt. This part is half of the package's size.
    "wrapt/*.so",
    # Only compilers and type checkers read these files.
    "*.c",
    "*.pyi",
    "*/py.typed",
)
"""Path patterns of files in the packages of the `powertools` layer that no function loads."""

_MAKERS: Final = ("archives.py", "byte_code.py", "generated_code.py")
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_FILE_MODE: Final = 0o100644 << 16
_BUILDS: Final = ContextVar("builds", default=True)


@contextmanager
def only_named() -> Generator[None]:
    """In the `with` block, give each archive a path, but don't build the archive.

    `make cost` and `make generate` run the program only to read its resources. These commands do not need the archives,
    so they also work without access to a package index.
    """
    before = _BUILDS.set(False)
    try:
        yield
    finally:
        _BUILDS.reset(before)


@dataclass(frozen=True, kw_only=True)
class Archives:
    """The archives of one stack."""

    powertools_layer: pulumi.FileArchive
    common_layer: pulumi.FileArchive
    functions: Mapping[str, pulumi.FileArchive]
    """Archives of the functions, by their folders under functions/."""


def build_all(architecture: str) -> Archives:
    """Build the archives of both layers, for `architecture`, and of every function.

    Raises BuildError if an archive cannot be built or written.
    """
    try:
        return Archives(
            powertools_layer=powertools_layer_archive(architecture),
            common_layer=common_layer_archive(),
            functions={
                handler.parent.name: function_archive(handler.parent.name)
                for handler in sorted(FUNCTIONS.glob("*/handler.py"))
            },
        )
    except OSError as error:
        raise BuildError(
            f"archives: got {error.strerror} for {error.filename}; allowed: a readable checkout with a "
            f"writable folder {BUILD.name}/; correct the permissions or free disk space"
        ) from error


def function_archive(source: str) -> pulumi.FileArchive:
    """Return the archive of the function in `functions/{source}`. The archive contains only that package.

    Raises FileNotFoundError if the folder has no handler.py.
    """
    folder = FUNCTIONS / source
    if not (folder / "handler.py").is_file():
        raise FileNotFoundError(f"function source: got {source!r}; there is no functions/{source}/handler.py")
    files = dict(_tree(folder, prefix=f"{source}/"))
    return _kept(source.replace("_", "-"), files.items(), lambda: files)


def common_layer_archive() -> pulumi.FileArchive:
    """Return the archive of the `common` layer: functions/shared, contracts/*.py and the generated files."""
    # Tests write generated files into functions/shared. Skip them, because the function `files` below generates them.
    own = {
        path: data
        for path, data in _tree(FUNCTIONS / "shared", prefix="python/shared/")
        if not path.startswith(tuple(f"python/shared/{folder}/" for folder in generated_code.FOLDERS))
    }
    contracts = dict(_tree(openapi.CONTRACTS, prefix="contracts/"))
    own |= {f"python/{path}": data for path, data in contracts.items() if path.endswith(".py")}

    def files() -> Mapping[str, bytes]:
        generated = {
            f"python/shared/{folder}/{path}": content
            for folder, generate in generated_code.FOLDERS.items()
            for path, content in generate().items()
        }
        return own | generated

    made_of = [*own.items(), *contracts.items()]
    return _kept("common-layer", made_of, lambda: compiled(files()))


def powertools_layer_archive(architecture: str) -> pulumi.FileArchive:
    """Return the archive of the `powertools` layer for `architecture`: the packages of its lock file.

    Raises BuildError with uv's message if uv cannot download the packages.
    """

    def files() -> Mapping[str, bytes]:
        sys.stderr.write(f"powertools layer: downloading the packages of {LAYER_LOCK.name} for {architecture}\n")
        with tempfile.TemporaryDirectory() as scratch:
            _install_wheels(Path(scratch), architecture)
            found = dict(_tree(Path(scratch), prefix="python/"))
        return {path: data for path, data in found.items() if not _is_left_out(path.removeprefix("python/"))}

    made_of = [(LAYER_LOCK.name, LAYER_LOCK.read_bytes()), ("architecture", architecture.encode())]
    return _kept(f"powertools-layer-{architecture}", made_of, lambda: compiled(files()))


@functools.cache
def _makers() -> tuple[tuple[str, bytes], ...]:
    """Return the sources of the build code, and the versions of the packages that the build code uses.

    Both are part of the hash of every archive, so all archives are built again after a change of the build code.
    """
    sources = [*(Path(__file__).with_name(name) for name in _MAKERS), SCRIPT]
    packages = ((package, version(package).encode()) for package in ("botocore", "fastjsonschema"))
    return (*((path.name, path.read_bytes()) for path in sources), *packages)


def _kept(
    name: str, made_of: Iterable[tuple[str, bytes]], files: Callable[[], Mapping[str, bytes]]
) -> pulumi.FileArchive:
    """Return the archive of `files`. Build the archive unless `.build/` already contains it.

    Inside a block `with only_named()`, nothing is built. The archive's file name contains `name` and a hash of
    `made_of`, the paths and contents of its sources.
    """
    inputs = [*sorted(made_of), *_makers()]
    key = hashlib.sha256(b"".join(part for path, data in inputs for part in (path.encode(), b"\0", data, b"\0")))
    path = BUILD / f"{name}-{key.hexdigest()[:16]}.zip"
    if _BUILDS.get() and not path.is_file():
        write(path, _zip(files().items()))
    return pulumi.FileArchive(os.path.relpath(path))


def _is_left_out(path: str) -> bool:
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in LEFT_OUT)


def _install_wheels(target: Path, architecture: str) -> None:
    # The lock file lists every package of the layer, so uv must not add dependencies (--no-deps). boto3 is not in the
    # lock file, because Lambda's runtime contains it.
    arguments = ["pip", "install", "--quiet", "--target", str(target), "--require-hashes", "--no-deps"]
    arguments += ["--only-binary", ":all:", "--python-platform", PLATFORMS[architecture]]
    arguments += ["--python-version", PYTHON_VERSION, "--requirement", str(LAYER_LOCK)]
    done = subprocess.run(  # noqa: S603 - the arguments are constants
        [uv.find_uv_bin(), *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BuildError(
            f"powertools layer: uv could not install {LAYER_LOCK.name} for {architecture}: "
            f"{done.stderr.strip()[-500:]}. Remedy: check that this machine can reach its Python package index."
        )
    shutil.rmtree(target / "bin", ignore_errors=True)


def _tree(folder: Path, *, prefix: str) -> Iterable[tuple[str, bytes]]:
    """Yield a path and the content of each file in `folder`. The path is `prefix` + the file's path in the folder.

    Leaves out byte code of this machine, hidden files and the installer's records.
    """
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if not path.is_file() or "__pycache__" in relative.parts or path.name.startswith("."):
            continue
        if relative.parts[0].endswith(".dist-info") and path.name not in {"METADATA", "WHEEL", "LICENSE"}:
            continue
        yield prefix + relative.as_posix(), path.read_bytes()


def _zip(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Return the bytes of a zip file with sorted entries, fixed times and fixed file modes.

    The bytes depend only on the names and contents of `files`. Nothing is compressed, because two versions of zlib can
    compress the same content to different bytes. With compression, Pulumi would therefore deploy every function again
    whenever another machine deploys.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = _FILE_MODE
            # The value 3 means Unix. Without it, zipfile would record the current operating system, so Windows would
            # build a different archive.
            entry.create_system = 3
            archive.writestr(entry, data)
    return buffer.getvalue()


def write(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically, because deployments of several stacks can build at the same time."""
    if path.is_file() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, scratch = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    Path(scratch).replace(path)


if __name__ == "__main__":
    # Building the layers needs the network, which tests must not use. `make` therefore runs this module before the
    # tests.
    powertools_layer_archive(sys.argv[1])
    common_layer_archive()
