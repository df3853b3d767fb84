"""The format of API Gateway's access logs."""

from __future__ import annotations

import json


def is_json(access_log_format: object) -> bool:
    """Whether each line of an access log of this format is one JSON object."""
    try:
        return isinstance(json.loads(str(access_log_format)), dict)
    except ValueError:
        return False
