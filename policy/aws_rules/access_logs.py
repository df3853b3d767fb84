"""Checks the format of API Gateway's access logs."""

from __future__ import annotations

import json


def is_json(access_log_format: object) -> bool:
    """Return whether each line of an access log with the format `access_log_format` is a JSON object."""
    try:
        return isinstance(json.loads(str(access_log_format)), dict)
    except ValueError:
        return False
