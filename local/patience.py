"""How many times as long as on AWS a thing may take on this machine.

The time limits of functions, workflows, APIs and SDK calls are set for AWS's machines. Here, the start of a function
shares a few cores with the emulator and everything else that runs, and can take seconds. So the emulator multiplies
each limit by PATIENCE: a slow or busy machine makes an order slow, and does not make it fail. LOCAL_PATIENCE=1 keeps
the limits of the settings.
"""

from __future__ import annotations

import os
from typing import Final

PATIENCE: Final = float(os.environ.get("LOCAL_PATIENCE", "10"))
