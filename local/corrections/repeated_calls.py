"""A call that is repeated under the same token is carried out once, and answered as it was the first time.

`make up` may be killed after a call and before it records what the call made. The next one repeats the call. AWS would
refuse it (`the function exists already`), or make a second resource.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from local.corrections import replaces
from local.instance import ONCE

# A deployment repeats only the few calls that were open when the previous deployment was killed, so older responses can
# be dropped.
_MOST: Final = 5000
_FIRST_ERROR: Final = 400
_Messages = list[dict[str, Any]]
_answers: Final[dict[bytes, asyncio.Task[_Messages]]] = {}


@replaces("app.app", "ab1297bd6cd5")
async def app(original: Any, scope: Any, receive: Any, send: Any) -> None:
    """Serve a request; one with a token as a task of its own, which goes on if its caller is gone."""
    token = dict(scope.get("headers", ())).get(ONCE.encode())
    if token is None:
        await original(scope, receive, send)
        return
    if await _is_good(_answers.get(token)):
        # The client reads the response only after it has sent the whole request, so the request is read first.
        while (await receive()).get("more_body"):
            pass
    else:
        while len(_answers) >= _MOST:
            del _answers[next(iter(_answers))]
        _answers[token] = asyncio.create_task(_answer(original, scope, receive))
    for message in await asyncio.shield(_answers[token]):
        await send(message)


async def _is_good(answer: asyncio.Task[_Messages] | None) -> bool:
    """Whether a request has an answer, and a success: what was refused may be allowed the next time.

    A request of which only a part arrived before its caller was killed has none.
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
