"""Checks the format of API Gateway's access logs."""

from __future__ import annotations

import json


def is_json(access_log_format: object) -> bool:
    """Return whether API Gateway writes each line as a JSON object if the access log has `access_log_format`."""
    try:
        return isinstance(json.loads(str(access_log_format)), dict)
    except ValueError:
        return False
