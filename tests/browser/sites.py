"""A web server for test pages. It serves several sites on one port, and distinguishes them by the Host header."""

from __future__ import annotations

import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import urlsplit

_TYPES: Final = {".js": "text/javascript", ".json": "application/json", ".html": "text/html; charset=utf-8"}
_FIRST: Final = "/index.html"


@dataclass
class Sites:
    """The sites that the web server serves, and their files."""

    port: int
    files: dict[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    """Maps the `HOST:PORT` in a site's address to the site's files: {path: content}."""

    def serve(self, site: str, files: Mapping[str, str]) -> None:
        """Serve `files` at http://SITE. Paths without a file get /index.html, as in a single-page app."""
        self.files[site] = files


@contextmanager
def serving() -> Generator[Sites]:
    """Start the web server on a free port, and stop it at the end of the block."""
    sites: list[Sites] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            files = sites[0].files.get(self.headers["Host"], {})
            path = urlsplit(self.path).path
            path = path if path in files else _FIRST
            body = files.get(path, "").encode()
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", _TYPES[path[path.rindex(".") :]])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sites.append(Sites(server.server_address[1]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield sites[0]
    finally:
        server.shutdown()
        server.server_close()
