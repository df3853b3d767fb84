"""PATIENCE: the factor by which the emulator multiplies the time limits that are configured for AWS.

The time limits of functions, workflows, APIs and SDK calls are set for AWS's machines. On a local machine, a function
shares a few cores with the emulator and all other programs, and its start can take seconds. With the longer limits, an
order on a slow or busy machine takes longer but does not fail. LOCAL_PATIENCE=1 restores the configured limits.
"""

from __future__ import annotations

import os
from typing import Final

PATIENCE: Final = float(os.environ.get("LOCAL_PATIENCE", "10"))
