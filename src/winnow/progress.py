"""The progress of the work: a bar in a terminal, or a file for a program that runs several stages and shows them.
``WINNOW_PROGRESS`` names that file: one line of json with label, done, total and unit.
"""

import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from winnow.storage import atomic_file

Item = TypeVar("Item")
FILE = "WINNOW_PROGRESS"
SECONDS_BETWEEN_WRITES = 0.3


class Bar(NamedTuple):
    """What a progress bar counts to, and what it has before it, in words; done: what was done before."""

    total: int
    label: str
    unit: str = "step"
    done: int = 0


def progress(total: int, label: str, unit: str, done: int = 0) -> Any:
    """A context manager with ``n``, ``total`` and ``update(steps)``, such as a tqdm bar."""
    file = os.environ.get(FILE)
    if file:
        return _Reported(Path(file), total, label, unit, done)
    from tqdm import tqdm

    return tqdm(total=total, initial=done, desc=label, unit=unit, disable=None, dynamic_ncols=True)


def shown(items: Iterable[Item], total: int, label: str, unit: str) -> Iterator[Item]:
    """Yield the items, and show the progress through them."""
    with progress(total, label, unit) as bar:
        for item in items:
            yield item
            bar.update(1)


class _Reported:
    """Writes its progress to a file."""

    def __init__(self, file: Path, total: int, label: str, unit: str, done: int) -> None:
        self.file, self.total, self.label, self.unit, self.n = file, total, label, unit, done
        self.written = 0.0

    def update(self, steps: float = 1) -> None:
        self.n += int(steps)
        if time.monotonic() - self.written > SECONDS_BETWEEN_WRITES:
            self.written = time.monotonic()
            about = {"label": self.label, "done": self.n, "total": self.total, "unit": self.unit}
            with atomic_file(self.file) as temporary:
                temporary.write_text(json.dumps(about), encoding="utf-8")

    def __enter__(self) -> "_Reported":
        self.update(0)
        return self

    def __exit__(self, *_: object) -> None:
        self.file.unlink(missing_ok=True)
