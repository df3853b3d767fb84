"""A call that is repeated with the same token does not run again, and gets the first call's response.

If `make up` is killed, it can leave a resource that it created but did not record in Pulumi's state. The next `make up`
repeats the call that created the resource. Each call with which a deployment creates or changes a resource contains a
token, and the repeated call contains the same token as the first one. This correction stores the successful response
for each token.

Emulator: If a deployment repeats a call that creates a resource, the emulator returns the error that the resource
    exists already, or creates a second resource.
AWS: AWS behaves in the same way, except for calls with a client token. If such a call is repeated with the same token,
    AWS returns the response of the first call.
Source: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
Upstream: nothing to report, because AWS behaves in the same way for calls without a client token.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from emulator_fixes import replaces
from local.instance import ONCE

# Maximum number of stored responses. When a deployment is killed, only its last few calls are missing in Pulumi's
# state. The next deployment repeats only these calls, so older responses are not needed.
_MOST: Final = 5000
_FIRST_ERROR: Final = 400
_Messages = list[dict[str, Any]]
_answers: Final[dict[bytes, asyncio.Task[_Messages]]] = {}


@replaces("app.app", "ab1297bd6cd5")
async def app(original: Any, scope: Any, receive: Any, send: Any) -> None:
    """Serve a request. A request with a token runs in its own task, which continues if the client disconnects."""
    token = dict(scope.get("headers", ())).get(ONCE.encode())
    if token is None:
        await original(scope, receive, send)
        return
    if await _is_good(_answers.get(token)):
        # Read the whole request before responding, because the client reads the response only after it has sent the
        # request.
        while (await receive()).get("more_body"):
            pass
    else:
        while len(_answers) >= _MOST:
            del _answers[next(iter(_answers))]
        _answers[token] = asyncio.create_task(_answer(original, scope, receive))
    for message in await asyncio.shield(_answers[token]):
        await send(message)


async def _is_good(answer: asyncio.Task[_Messages] | None) -> bool:
    """Return whether the earlier request with the same token succeeded.

    A refused request runs again, because it may be allowed now. A request whose client disconnected before sending it
    completely also runs again.
    """
    if answer is None:
        return False
    await asyncio.wait([answer])
    if answer.exception() or not answer.result():
        return False
    first, last = answer.result()[0], answer.result()[-1]
    return first["status"] < _FIRST_ERROR and not last.get("more_body")


async def _answer(original: Any, scope: Any, receive: Any) -> _Messages:
    messages: _Messages = []

    async def keep(message: dict[str, Any]) -> None:
        messages.append(message)

    await original(scope, receive, keep)
    return messages
