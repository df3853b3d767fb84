"""An HTTP API responds 404 to `/products/` if its route is `/products`.

This correction does not change how the emulator treats two other kinds of paths. AWS and the emulator both treat
`//products` as `/products` (github.com/localstack/localstack/issues/8170). The emulator treats `/products%2Fapple` as
`/products/apple`. AWS does not document how it treats such a path.

Emulator: The emulator treats the first segment of a path as a stage. If the API has no such stage, the emulator uses
    `$default` and drops the slash after the segment, so `/products/` matches the route `/products`.
AWS: An HTTP API responds 404 to `/products/` if it has only the route `/products`.
Source: https://github.com/storacha/w3infra/pull/166
Upstream: report as a bug.
"""

from __future__ import annotations

import contextvars
from typing import Any, Final

from emulator_fixes import replaces

_DEFAULT_STAGE: Final = "$default"
_ends_with_slash: contextvars.ContextVar[bool] = contextvars.ContextVar("path_ends_with_slash", default=False)


@replaces("app._parse_execute_api_url", "13d571174968")
def parse(original: Any, host: str, path: str) -> Any:
    """Parse `path`, and remember whether it ends with a slash.

    `original` drops the slash: it returns the same result for `/products` and `/products/`. `resolve` adds
    the slash again.
    """
    _ends_with_slash.set(path.endswith("/"))
    return original(host, path)


@replaces("app._resolve_stage_and_path", "e44464f6865c")
def resolve(original: Any, api: str, first: str, path: str) -> tuple[str, str]:
    """Return the stage, and the part of the path after the stage. In the stage `$default`, keep a trailing slash."""
    stage, found = original(api, first, path)
    dropped = stage == _DEFAULT_STAGE != first and path == "/" and _ends_with_slash.get()
    return stage, f"{found}/" if dropped else found
