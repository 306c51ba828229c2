"""What the stages share that measure along lines between tickets: many lines side by side, in one table."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from stages._images import training_images
from winnow.datasets.images import load_facts, load_part, sample
from winnow.landscape.connectivity import line_between
from winnow.storage import load_table, save_table
from winnow.training.batches import to_device
from winnow.training.device import device, workers
from winnow.training.workers import Tick, side_by_side


@dataclass(frozen=True)
class Line:
    """A line between two tickets' files, and the columns that tell it apart in the table."""

    about: dict[str, Any]
    a: Path
    b: Path


COLUMNS = ("alpha", "split", "error", "loss")


def measure(lines: list[Line], connectivity: Any, folder: Path, label: str) -> pd.DataFrame:
    """The columns of every line's ``about``, alpha, split (train or test), error and loss; empty without lines.

    connectivity: the section's points, images and statistics. What is done is kept in ``folder``, so that an
    interrupted call goes on from there.
    """
    if not lines:
        return pd.DataFrame(columns=["a", "b", "seed", *COLUMNS])
    facts, where = load_facts("data/images"), device()
    parts = {
        "train": to_device(sample(training_images(), connectivity.images), facts, where),
        "test": to_device(sample(load_part("data/images", "test"), connectivity.images), facts, where),
    }

    def file(number: int) -> Path:
        return folder / f"line{number}.parquet"

    def work(number: int, tick: Tick) -> None:
        if not file(number).exists():
            line = lines[number]
            save_table(file(number), line_between(line.a, line.b, connectivity.points, parts, connectivity.statistics))
        tick(1)

    numbers = range(len(lines))
    side_by_side(work, numbers, workers(where), len(lines), label, unit="line")
    tables = [load_table(file(number)) for number in numbers]
    told_apart = [
        table.assign(**line.about)[[*line.about, *COLUMNS]] for line, table in zip(lines, tables, strict=True)
    ]
    return pd.concat(told_apart, ignore_index=True)
