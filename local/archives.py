"""Converts Pulumi's archives to the bytes of a zip file."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi

_EPOCH = (1980, 1, 1, 0, 0, 0)


def is_archive(value: Any) -> bool:
    """Return whether `value` is a Pulumi archive."""
    return isinstance(value, pulumi.Archive)


def zip_bytes(archive: pulumi.Archive) -> bytes:
    """Return the content of `archive` as a zip file.

    Raises TypeError if the content is not on this machine, for example if it is at a URL.
    """
    if isinstance(archive, pulumi.FileArchive) and Path(archive.path).is_file():
        return Path(archive.path).read_bytes()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, data in sorted(_entries(archive, "")):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o100644 << 16
            packed.writestr(entry, data)
    return buffer.getvalue()


def _entries(source: pulumi.Archive | pulumi.Asset, prefix: str) -> Iterator[tuple[str, bytes]]:
    if isinstance(source, pulumi.FileArchive):
        for path in sorted(Path(source.path).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield f"{prefix}{path.relative_to(source.path).as_posix()}", path.read_bytes()
    elif isinstance(source, pulumi.AssetArchive):
        for name, asset in source.assets.items():
            inner = f"{prefix}{name}/" if isinstance(asset, pulumi.Archive) else f"{prefix}{name}"
            yield from _entries(asset, inner)
    elif isinstance(source, pulumi.FileAsset):
        yield prefix, Path(source.path).read_bytes()
    elif isinstance(source, pulumi.StringAsset):
        yield prefix, source.text.encode()
    else:
        raise TypeError(
            f"a {type(source).__name__} cannot be deployed to the emulator; allowed: local files, "
            "folders and pulumi.StringAsset"
        )
