"""The sign-in page accepts `identity_provider=COGNITO`, which stands for the user pool itself.

Emulator: The emulator looks up the parameter `identity_provider` only among external identity providers, so it refuses
    the value `COGNITO` with ResourceNotFoundException. AWS Amplify always sends this value.
AWS: `COGNITO` stands for the user pool itself, so the sign-in page of the user pool opens.
Source: https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
Source: https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html
Upstream: report as a bug.
"""

from __future__ import annotations

from typing import Any, Final

from emulator_fixes import replaces

_PROVIDER: Final = "identity_provider"


@replaces("services.cognito.handle_oauth2_authorize", "ee7115c343a8")
def authorize(original: Any, method: str, path: str, headers: Any, query: Any) -> Any:
    """Open the user pool's sign-in page if the request names `COGNITO`, as for a request without a provider."""
    if query.get(_PROVIDER) == ["COGNITO"]:
        query = {name: values for name, values in query.items() if name != _PROVIDER}
    return original(method, path, headers, query)
