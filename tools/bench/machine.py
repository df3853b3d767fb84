"""Builds a copy of Lambda's execution environment in a local folder: the runtime's packages, /opt and /var/task."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uv

from components.functions import archives, byte_code
from engine.graph import Graph

ROOT: Final = archives.ROOT
_HERE: Final = Path(__file__).parent
_BASELINES: Final = _HERE / "baselines"
_LOCK: Final = ROOT / "requirements-dev.txt"
# Lambda's runtime contains the byte code of these packages, so the packages are compiled before the measurement.
_RUNTIME: Final = ("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3")
_POWERTOOLS: Final = ("aws-lambda-powertools", "aws-xray-sdk", "wrapt", "typing-extensions")
_PYDANTIC: Final = ("pydantic", "pydantic-core", "annotated-types", "typing-inspection")
_PRINT_VERSION: Final = "import sys; print(*sys.version_info[:3], sep='.')"
# Lambda also sets the variables up to _X_AMZN_TRACE_ID. The variables after _X_AMZN_TRACE_ID hide the AWS configuration
# and the home directory of this machine, and make Python's hashes equal in all runs.
_ENVIRONMENT: Final = {
    "AWS_REGION": "ap-northeast-1",
    "AWS_DEFAULT_REGION": "ap-northeast-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_SESSION_TOKEN": "test",
    "AWS_LAMBDA_FUNCTION_NAME": "orders-api",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
    "LAMBDA_TASK_ROOT": "/var/task",
    "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "HOME": "/nowhere",
    "PYTHONHASHSEED": "0",
}


@dataclass(frozen=True, kw_only=True)
class Python:
    """A Python interpreter."""

    path: str
    version: str
    """For example 3.13.0."""


@dataclass(frozen=True, kw_only=True)
class Handler:
    """A handler and its import path. Nothing else differs between the measured handlers."""

    module: str
    """The module's name, or `nothing` for Python alone."""
    path: tuple[str, ...] = ()
    """Folders on the import path, in Lambda's order."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """All measured handlers, with the interpreter and the environment that they run in."""

    python: Python
    environment: Mapping[str, str]
    """Environment of every handler: Lambda's own variables, and the environment variables of all functions together."""
    functions: Mapping[str, Handler]
    """The deployed functions by name."""
    nothing: Handler
    bare: Handler
    tutorial: Handler
    by_hand: Handler
    validated: Handler

    def command(self, handler: Handler, *, requests: int = 0, fake: str = "client") -> list[str]:
        """Return the command that starts a handler and sends it `requests` orders.

        Python ignores the packages of this machine (-S -s -P) and writes no byte code (-B), as in Lambda. `fake` is the
        part of the SDK that in_lambda.py replaces.
        """
        options = ["-S", "-s", "-P", "-B"]
        return [
            self.python.path,
            *options,
            str(_HERE / "in_lambda.py"),
            handler.module,
            fake,
            str(requests),
            *handler.path,
        ]


def python() -> Python:
    """Return an interpreter of Lambda's Python version, outside any virtual environment."""
    path = os.path.realpath(byte_code.lambda_python())
    done = subprocess.run([path, "-I", "-c", _PRINT_VERSION], capture_output=True, text=True, check=True)  # noqa: S603
    return Python(path=path, version=done.stdout.strip())


def prepared(interpreter: Python, graph: Graph) -> Machine:
    """Return all handlers for `interpreter`: the functions of `graph`, and the handlers to compare them with.

    Install packages and unpack archives as needed. Raises RuntimeError if packages can't be installed.
    """
    base = archives.BUILD / "bench" / f"python{interpreter.version}"
    runtime, powertools, pydantic = (
        _installed(interpreter, base, name, packages)
        for name, packages in (("runtime", _RUNTIME), ("powertools", _POWERTOOLS), ("pydantic", _PYDANTIC))
    )
    layers = _layers(base)
    functions = {
        function.name: Handler(
            module=function.inputs["handler"].removesuffix(".lambda_handler"),
            path=(_unpacked(base, function.name, [Path(function.inputs["code"].path)]), *layers, runtime),
        )
        for function in sorted(graph.of("aws:lambda/function:Function"), key=lambda function: function.name)
    }
    variables: dict[str, str] = {}
    for function in graph.of("aws:lambda/function:Function"):
        variables |= function.inputs["environment"]["variables"]
    own = str(_BASELINES)
    return Machine(
        python=interpreter,
        environment=_ENVIRONMENT | variables,
        functions=functions,
        nothing=Handler(module="nothing"),
        bare=Handler(module="bare", path=(own, runtime)),
        tutorial=Handler(module="tutorial", path=(own, powertools, runtime)),
        by_hand=Handler(module="by_hand", path=(own, runtime)),
        validated=Handler(module="validated", path=(own, powertools, pydantic, runtime)),
    )


def _installed(interpreter: Python, base: Path, name: str, packages: Iterable[str]) -> str:
    """Return a folder with `packages` in their locked versions, including byte code."""
    locked = "".join(_lock(package) for package in packages)

    def install(target: Path) -> None:
        requirements = target.with_suffix(".txt")
        requirements.write_text(locked, encoding="utf-8")
        options = ["--quiet", "--no-deps", "--require-hashes", "--compile-bytecode", "--python", interpreter.path]
        done = subprocess.run(  # noqa: S603 - the arguments are constants
            [uv.find_uv_bin(), "pip", "install", *options, "--target", str(target), "--requirement", str(requirements)],
            capture_output=True,
            text=True,
            check=False,
        )
        requirements.unlink()
        if done.returncode:
            raise RuntimeError(
                f"bench: uv could not install {', '.join(packages)}: {done.stderr.strip()[-500:]}. "
                "Remedy: check that this machine can reach its Python package index."
            )

    return _made(base, name, locked.encode(), install)


def _lock(package: str) -> str:
    found = re.search(
        rf"^{re.escape(package)}==.*?(?=^\S|\Z)", _LOCK.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    if found is None:
        raise RuntimeError(
            f"bench: {_LOCK.name} contains no version of {package}; add the package, and run `make lock`"
        )
    return found.group()


def _layers(base: Path) -> tuple[str, ...]:
    """Extract both layers into one folder, as Lambda does into /opt, and return the path of its subfolder `python`."""
    packed = [
        Path(str(made.path)) for made in (archives.powertools_layer_archive("arm64"), archives.common_layer_archive())
    ]
    return (f"{_unpacked(base, 'opt', packed)}/python",)


def _unpacked(base: Path, name: str, archives: Iterable[Path]) -> str:
    def unpack(target: Path) -> None:
        for archive in archives:
            with zipfile.ZipFile(archive) as file:
                file.extractall(target)

    return _made(base, name, b"".join(archive.read_bytes() for archive in archives), unpack)


def _made(base: Path, name: str, made_of: bytes, make: Callable[[Path], None]) -> str:
    """Return the path of the folder `name`-HASH. HASH is a hash of `made_of`, which determines the folder's content.

    If the folder doesn't exist, call `make` to write its content. The folder appears only when it is complete, because
    tests that run in parallel use the same folder.
    """
    folder = base / f"{name}-{hashlib.sha256(made_of).hexdigest()[:12]}"
    if not folder.is_dir():
        base.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=base, prefix="making-"))
        make(scratch)
        try:
            scratch.rename(folder)
        except OSError:
            shutil.rmtree(scratch)
    return str(folder)
