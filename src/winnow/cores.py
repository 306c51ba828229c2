"""The cores of the machine, shared among the stages that run in parallel and the networks inside them.

``WINNOW_CORES`` names a folder with one file for each core. A process that computes holds the lock of one file; the
system releases the lock when the process ends, however it ends. Without that folder a process uses all cores.
"""

import fcntl
import os
import time
from pathlib import Path
from typing import IO

FOLDER = "WINNOW_CORES"
_held: list[IO[str]] = []  # at most one


def available() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def take() -> None:
    """Wait for a free core, and hold it."""
    folder = os.environ.get(FOLDER)
    if not folder or _held:
        return
    files = [path.open("w") for path in sorted(Path(folder).iterdir())]
    while True:
        for file in files:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            _held.append(file)
            for other in files:
                if other is not file:
                    other.close()
            return
        time.sleep(0.02)


def give_back() -> None:
    """Let another process have the core."""
    while _held:
        file = _held.pop()
        fcntl.flock(file, fcntl.LOCK_UN)  # a forked process may have the file open too
        file.close()
