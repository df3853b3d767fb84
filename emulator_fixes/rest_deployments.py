"""A stage of a REST API serves the deployed version of the API.

Without this correction, the stage would serve undeployed changes. A program that does not deploy its changes would then
work with the emulator and fail on AWS. This correction copies the API at each deployment and serves requests from that
copy.

Emulator: The emulator serves every change of a REST API immediately, without a new deployment.
AWS: A change has no effect until the API is deployed again.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-deploy-api.html
Upstream: report as a bug.
"""

from __future__ import annotations

import contextvars
import copy
import json
from typing import Any, Final

from emulator_fixes import internal, nested, replaces

_gateway: Any = internal("services.apigateway_v1")
_PARTS: Final = ("_resources", "_models", "_request_validators", "_authorizers_v1")
_snapshots: dict[str, dict[str, Any]] = {}
_served: contextvars.ContextVar[dict[str, Any] | None] = contextvars.ContextVar("rest_deployment", default=None)


def _deployed(part: str, store: Any) -> Any:
    """Return a view of `store`, a dict of the emulator that contains data of one kind (such as models) for all APIs.

    While a stage serves a request, the view returns the data of the deployed API instead of the current data. `part` is
    the name of the dict in the emulator, for example "_models".
    """
    kind: Any = store.__class__

    def get(self: Any, key: Any, default: Any = None) -> Any:
        served = _served.get()
        if served is not None and key in served[part]:
            return served[part][key]
        return kind.get(self, key, default)

    view: Any = type("Deployed", (kind,), {"get": get})()
    view._data = store._data
    return view


for _part in _PARTS:
    setattr(_gateway, _part, _deployed(_part, getattr(_gateway, _part)))


@replaces("services.apigateway_v1._create_deployment", "cf248c888e1f")
def create_deployment(original: Any, api: str, request: Any) -> Any:
    """Create a deployment, and store a copy of the API as it is now."""
    answer = original(api, request)
    status, _, body = answer
    if status == 201:  # noqa: PLR2004
        parts = {part: getattr(_gateway, part).get(api, {}) for part in _PARTS}
        _snapshots[json.loads(body)["id"]] = {part: {api: copy.deepcopy(kept)} for part, kept in parts.items()}
    return answer


@replaces("services.apigateway_v1.handle_execute", "c44e927a3e33")
async def handle_execute(original: Any, api: str, stage: str, *arguments: Any) -> Any:
    """Serve a request from the deployment of its stage."""
    deployment = nested(_gateway.stages_for_api(api), stage, "deploymentId")
    token = _served.set(_snapshots.get(str(deployment)))
    try:
        return await original(api, stage, *arguments)
    finally:
        _served.reset(token)
