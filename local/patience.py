"""PATIENCE: the factor by which time limits in the emulator are longer than on AWS.

The time limits of functions, workflows, APIs and SDK calls are set for AWS's machines. On a local machine, a function
shares a few cores with the emulator and all other programs, and its start can take seconds. The emulator therefore
multiplies each limit by PATIENCE. On a slow or busy machine, an order takes longer but does not fail. LOCAL_PATIENCE=1
restores the configured limits.
"""

from __future__ import annotations

import os
from typing import Final

PATIENCE: Final = float(os.environ.get("LOCAL_PATIENCE", "10"))
