"""Packages Lambda functions and layers so that the emulator runs them as Lambda does."""

from __future__ import annotations

import importlib.util
import io
import os
import shlex
import shutil
import sys
import threading
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cli.errors import naming
from local.instance import Instance

RUNTIME: Final = "provided.al2023"
"""The runtime of uploaded functions. The emulator's own Python runtime would not report the types of their errors."""
_BOOTSTRAP: Final = Path(__file__).with_name("bootstrap.py")
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
# Lambda's Python runtime contains these packages: the SDK, the runtime client `awslambdaric`, and their dependencies.
_RUNTIME_PACKAGES: Final = (
    "awslambdaric",
    "boto3",
    "botocore",
    "dateutil",
    "jmespath",
    "runtime_client",
    "s3transfer",
    "simplejson",
    "six",
    "snapshot_restore_py",
    "urllib3",
)
_LOCK: Final = threading.Lock()


def layer_directory(instance: Instance, layer_arn: str) -> Path:
    """Return the directory with the content of a layer version."""
    name, version = layer_arn.split(":")[-2:]
    return instance.data / "layers" / f"{name}-{version}"


def extract_layer(instance: Instance, layer_arn: str, content: bytes) -> None:
    """Extract the zip archive `content` of a layer version into the directory where functions find the layer."""
    directory = layer_directory(instance, layer_arn)
    with zipfile.ZipFile(io.BytesIO(content)) as archive, naming(directory):
        archive.extractall(directory)


def package(instance: Instance, content: bytes, layer_arns: Sequence[str]) -> bytes:
    """Return a copy of `content`, the zip archive of a function, to which the file `bootstrap` is added.

    The emulator runs this file to start the function with the layers `layer_arns`.
    """
    runtime = _runtime_directory(instance)
    layers = [str(layer_directory(instance, arn)) for arn in layer_arns]
    command = shlex.join([sys.executable, "-I", "-S", str(_BOOTSTRAP), str(runtime), *layers])
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a") as archive:
        entry = zipfile.ZipInfo("bootstrap", _EPOCH)
        entry.external_attr = 0o100755 << 16
        # The path of the checkout may contain bytes that are not valid in this locale. `os.fsencode` preserves them.
        archive.writestr(entry, os.fsencode(f"#!/bin/sh\nexec {command}\n"))
    return buffer.getvalue()


def _runtime_directory(instance: Instance) -> Path:
    """Return the directory that replaces Lambda's /var/runtime. The directory contains links to installed packages."""
    directory = instance.data / "runtime"
    with _LOCK:
        if not directory.exists():
            scratch = directory.with_name("runtime.new")
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            for name in _RUNTIME_PACKAGES:
                found = importlib.util.find_spec(name)
                if found is None or found.origin is None:
                    raise ModuleNotFoundError(f"{name} is not installed. Remedy: install requirements-local.txt")
                origin = Path(found.origin)
                source = origin.parent if origin.name == "__init__.py" else origin
                (scratch / source.name).symlink_to(source)
            scratch.rename(directory)
    return directory
