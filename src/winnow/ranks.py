"""Which one this process is of those that train one network together (``training.several_devices``).

Its number is in ``WINNOW_RANK``: 0 leads, and the others follow. Only the leader writes; elsewhere there is no number.
"""

import os
import time
from pathlib import Path

RANK = "WINNOW_RANK"


def follows() -> bool:
    """Whether this process only takes its part of the training, and leaves the rest of the stage to another."""
    return os.environ.get(RANK, "0") != "0"


def await_leader(path: Path) -> None:
    """In a process that follows: wait until the leader has written this file."""
    while follows() and not path.exists():
        time.sleep(0.05)
