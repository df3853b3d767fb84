"""A package index on this machine, which simulates the index of a company, and wheels for it."""

from __future__ import annotations

import hashlib
import http.server
import threading
import zipfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

_HTML: Final = "<!DOCTYPE html><html><body>{}</body></html>"
_EXECUTABLE: Final = 0o100755 << 16


def uv_wheel(folder: Path) -> Path:
    """Write a wheel of the installed uv to `folder`, so that pip needs no network. Return the path of the wheel."""
    found = distribution("uv")
    name = f"uv-{found.version}"
    path = folder / f"{name}-py3-none-any.whl"
    written: list[str] = []
    with zipfile.ZipFile(path, "w") as wheel:
        for file in found.files or []:
            where = f"{name}.data/scripts/{file.name}" if file.parts[0] == ".." else file.as_posix()
            if file.name not in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json") and file.suffix != ".pyc":
                entry = zipfile.ZipInfo(where)
                entry.external_attr = _EXECUTABLE
                wheel.writestr(entry, Path(str(file.locate())).read_bytes())
                written.append(f"{where},,")
        wheel.writestr(f"{name}.dist-info/RECORD", "\n".join([*written, f"{name}.dist-info/RECORD,,", ""]))
    return path


def tiny_wheel(folder: Path, name: str = "tiny") -> Path:
    """Write a wheel of the package `name` with one module to `folder`, and return its path.

    The module has a constant NAME.
    """
    path, record = folder / f"{name}-1.0-py3-none-any.whl", f"{name}-1.0.dist-info"
    content = {
        f"{name}.py": f"NAME = {name!r}\n",
        f"{record}/METADATA": metadata(name),
        f"{record}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{record}/RECORD": f"{name}.py,,\n{record}/METADATA,,\n{record}/WHEEL,,\n{record}/RECORD,,\n",
    }
    with zipfile.ZipFile(path, "w") as wheel:
        for inner, text in content.items():
            wheel.writestr(inner, text)
    return path


def metadata(name: str) -> str:
    """Return the metadata of the wheel that `tiny_wheel` writes for the package `name`."""
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"


def locked(wheel: Path) -> str:
    """Return the line for `wheel` in a lock file, with its hash."""
    name, version = wheel.name.split("-")[:2]
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


@dataclass
class Index:
    """A running package index."""

    url: str
    asked: list[str] = field(default_factory=list[str])
    """Paths of all requests."""
    held: str = ""
    """Name of a file that the index sends only after `released` is set. "" if the index delays no file."""
    reached: threading.Event = field(default_factory=threading.Event)
    """Set when a client requests the file in `held`."""
    released: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serving(wheels: list[Path]) -> Generator[Index]:
    """Start a package index with `wheels` on a free port, and stop it at the end of the block.

    The index has the simple repository API (PEP 503), and the metadata of tiny wheels (PEP 658).
    """
    files = {wheel.name: wheel.read_bytes() for wheel in wheels}
    described = {f"{name}.metadata": metadata(name.split("-")[0]) for name in files if not name.startswith("uv-")}
    pages = {f"/simple/{name.split('-')[0]}/": _page(name, described) for name in files}
    index = Index("")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.asked.append(self.path)
            name = self.path.rpartition("/")[2]
            if name and name == index.held:
                index.reached.set()
                index.released.wait()
            self._send(self.path, name)

        def _send(self, path: str, name: str) -> None:
            text = pages.get(path) or described.get(name)
            body = text.encode() if text else files.get(name)
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html" if path in pages else "application/octet-stream")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class prescribes the name
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        index.url = f"http://127.0.0.1:{server.server_port}/simple"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield index
        finally:
            index.released.set()
            server.shutdown()


def _page(name: str, described: Mapping[str, str]) -> str:
    extra = ' data-core-metadata="true"' if f"{name}.metadata" in described else ""
    return _HTML.format(f'<a href="/files/{name}"{extra}>{name}</a>')
