"""What every stage has taken here, with what its time depends on: the table .winnow/measured.csv, which make repro
keeps. Times differ from run to run, so they are no output of a stage."""

import csv
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

MEASURED, TIMES = Path(".winnow/measured.csv"), Path(".winnow/times.csv")
OWN = "  networks/"  # in a list of a stage's code: a file of the user's networks
NEAR = 0.02  # sizes of a data set that differ by less take equal times


@dataclass(frozen=True)
class Measured:
    """One run of a stage, from its beginning to its end. like: ``likeness`` of the stage. images, pixels: how many
    training images there were, and values in each. seconds: by the clock, beside what else ran; processor: on all
    cores."""

    stage: str
    like: str
    images: int
    pixels: int
    seconds: float
    processor: float


def likeness(params: Mapping[str, Any], code: str) -> str:
    """A hash of what a stage's time depends on beside the images: its params, the user's networks, the device. code:
    the list of the stage's code."""
    own = [line for line in code.splitlines() if OWN in line]
    about = json.dumps([sorted(params.items()), own, os.environ.get("WINNOW_DEVICE", "")], sort_keys=True, default=str)
    return hashlib.sha256(about.encode()).hexdigest()[:16]


def load() -> list[Measured]:
    """All runs, the oldest first. Lines of an earlier version, or cut off by a full disk, are left out."""
    if not MEASURED.exists():
        return []
    with MEASURED.open(encoding="utf-8", newline="") as file:
        return [one for row in csv.DictReader(file) if (one := _parsed(row))]


def _parsed(row: Mapping[str, Any]) -> Measured | None:
    try:
        return Measured(
            str(row["stage"]), str(row["like"]), int(row["images"]), int(row["pixels"]), float(row["seconds"]),
            float(row["processor"]),
        )  # fmt: skip
    except (KeyError, ValueError, TypeError):
        return None


def add(one: Measured) -> None:
    """Add a run to the table."""
    MEASURED.parent.mkdir(exist_ok=True)
    with MEASURED.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Measured)])
        if not file.tell():
            writer.writeheader()
        writer.writerow(asdict(one))


def same_sizes(one: Measured, images: int, pixels: int) -> bool:
    """Whether a run had as many images, to within what takes no longer."""
    return one.pixels == pixels and abs(one.images - images) <= NEAR * images


def last_times() -> dict[str, tuple[float, float]]:
    """Seconds by the clock and of the processor of every stage's last run, whatever its params, by its name: the table
    that the stages themselves keep."""
    if not TIMES.exists():
        return {}
    found = {}
    with TIMES.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            try:
                found[str(row["stage"])] = (float(row["seconds"]), float(row["processor_seconds"]))
            except (KeyError, ValueError, TypeError):
                continue
    return found
