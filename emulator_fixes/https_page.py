"""`POST /_ministack/https` opens a second port, on which the emulator accepts HTTPS.

AWS Amplify opens the sign-in page only over HTTPS. The emulator opens the port only on request, because most users do
not need this port. The response contains the port as JSON: `{"port"}`. The port stays open until the emulator ends.

Emulator: The emulator has only one port. The port accepts either HTTP or HTTPS, but never both.
AWS: Cognito's sign-in page accepts only HTTPS.
Source: https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
Upstream: request as a feature.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from emulator_fixes import replaces
from local import certificate
from local.instance import HOST, HTTPS, LAST_PORT

_DISTANCE: Final = 10_000
_CHUNK_BYTES: Final = 65_536
_servers: list[asyncio.Server] = []


@replaces("app._handle_sqs_messages_request", "d578deed0b71")
async def respond(original: Any, method: str, path: str, *arguments: Any) -> Any:
    """Open the port if it is not open yet, and respond with its number."""
    if (method, path) != ("POST", HTTPS):
        return await original(method, path, *arguments)
    if not _servers:
        _servers.append(await _listen())
    port = _servers[0].sockets[0].getsockname()[1]
    return HTTPStatus.OK, {"Content-Type": "application/json"}, json.dumps({"port": port}).encode()


async def _listen() -> asyncio.Server:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.require(Path(os.environ["LOCAL_CERTIFICATE"])))
    # Prefer the same port each time. On another port, the user must accept the certificate in the browser again.
    plain = int(os.environ["GATEWAY_PORT"])
    preferred = plain + _DISTANCE if plain + _DISTANCE <= LAST_PORT else plain - _DISTANCE
    try:
        return await asyncio.start_server(_forward, HOST, preferred, ssl=context)
    except OSError:  # Another program listens on the preferred port, so use any free port.
        return await asyncio.start_server(_forward, HOST, 0, ssl=context)


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Forward the decrypted bytes of a connection to the emulator's HTTP port, and the response back."""
    plain_reader, plain_writer = await asyncio.open_connection(HOST, int(os.environ["GATEWAY_PORT"]))
    await asyncio.gather(_copy(reader, plain_writer), _copy(plain_reader, writer))


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):  # An error means that the other side closed the connection, so stop copying.
        while data := await source.read(_CHUNK_BYTES):
            target.write(data)
            await target.drain()
    target.close()
