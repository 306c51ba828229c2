"""Measurements along lines between tickets, which several stages share: many lines side by side, a table for each."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from winnow.datasets.images import Labelled, load_facts, load_split, sample
from winnow.errors import UserError
from winnow.landscape.connectivity import line_between, line_on_subsets
from winnow.progress import Bar
from winnow.stages._images import training_images
from winnow.storage import load_provenance, load_table, save_table
from winnow.tickets.files import load_ticket
from winnow.training.batches import DeviceImages, to_device
from winnow.training.device import chosen_device, workers
from winnow.training.workers import Tick, side_by_side

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Line:
    """The files of the two tickets at the ends of a line, and the file for what is measured on it."""

    a: Path
    b: Path
    file: Path


def measure(
    lines: list[Line], connectivity: Any, code: str, label: str, subsets: Mapping[str, np.ndarray] | None = None
) -> None:
    """Measure error and loss along every line (columns alpha, split, error, loss), and write each to its own file.

    connectivity: the section of params.yaml, for its points, images and statistics. code: the list of this stage's
    code. subsets: by name, rows of the training images, on which to measure too, beside which single images are
    connected (column connected). None: neither. Each file keeps a hash of all its inputs and one of its table, so a
    line is measured only once, whatever other lines come and go, and again if its file is damaged.
    """
    if not lines:
        return
    facts, device = load_facts("data/images"), chosen_device()
    images = training_images()
    parts = {
        "train": sample(images, connectivity.images),
        "test": sample(load_split("data/images", "test"), connectivity.images),
    }
    others, places = _beside(len(images), connectivity.images, subsets or {})
    if len(others):
        parts["others"] = images.take(others)
    splits = {name: to_device(part, facts, device) for name, part in parts.items()}
    points, statistics = connectivity.points, connectivity.batch_norm
    same = [code, points, statistics, *(_hash_of_images(part) for part in splits.values())]
    if subsets is not None:
        same.append({name: rows.tolist() for name, rows in places.items()})
    inputs = {line: _hash(json.dumps([*same, _hash_of_file(line.a), _hash_of_file(line.b)]).encode()) for line in lines}
    new = [line for line in lines if not _is_measured(line.file, inputs[line])]

    def work(line: Line, tick: Tick) -> None:
        a, b = (load_ticket(path).network for path in (line.a, line.b))
        if subsets is None:
            table = line_between(a, b, points, splits, statistics)
        else:
            table = line_on_subsets(a, b, points, splits, statistics, places)
        save_table(line.file, table, {"of": inputs[line], "is": _hash_of_table(table)})
        tick(1)

    side_by_side(work, new, workers(device), Bar(len(lines), label, "line", len(lines) - len(new)))


def _is_measured(file: Path, inputs: str) -> bool:
    """Whether the file holds what was measured from these inputs."""
    try:
        return file.exists() and load_provenance(file) == {"of": inputs, "is": _hash_of_table(load_table(file))}
    except UserError:  # damaged
        return False


def _beside(
    images: int, count: int | None, subsets: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The rows of the subsets' images that are not among those drawn for all lines; and by subset, the places of its
    images among the drawn ones followed by these."""
    every = np.arange(images)
    drawn = sample(Labelled(every, every), count).labels  # the rows that it takes of any images
    others = np.setdiff1d(np.concatenate([every[:0], *subsets.values()]), drawn)
    place = np.empty(images, np.int64)
    place[np.concatenate([drawn, others])] = np.arange(len(drawn) + len(others))
    return others, {name: place[rows] for name, rows in subsets.items()}


def _hash_of_images(images: DeviceImages) -> str:
    """A hash of the pixels, the labels, and the scale and shift that make inputs of the pixels."""
    digest = hashlib.sha256()
    for pixels, labels in images.in_order(1000):
        digest.update(pixels.cpu().numpy().tobytes() + labels.cpu().numpy().tobytes())
    digest.update(images.scale.cpu().numpy().tobytes() + images.shift.cpu().numpy().tobytes())
    return digest.hexdigest()


@cache  # a ticket is an end of several lines
def _hash_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hash_of_table(table: "pd.DataFrame") -> str:
    return _hash(table.to_csv(index=False).encode())


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
