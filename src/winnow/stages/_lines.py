"""Measurements along lines between tickets, which several stages share: many lines side by side, a table for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from winnow.datasets.images import Labelled, load_facts, load_split, sample
from winnow.landscape.connectivity import line_between, line_on_subsets
from winnow.progress import Bar
from winnow.stages._images import training_images
from winnow.stages._measured import hash_of, hash_of_file, hash_of_images, is_measured, save_measured
from winnow.tickets.files import load_ticket
from winnow.training.batches import to_device
from winnow.training.device import chosen_device, workers
from winnow.training.workers import Tick, side_by_side


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
    same = [code, points, statistics, *(hash_of_images(part) for part in splits.values())]
    if subsets is not None:
        same.append({name: rows.tolist() for name, rows in places.items()})
    tickets = {path: hash_of_file(path) for path in {path for line in lines for path in (line.a, line.b)}}
    inputs = {line: hash_of(*same, tickets[line.a], tickets[line.b]) for line in lines}
    new = [line for line in lines if not is_measured(line.file, inputs[line])]

    def work(line: Line, tick: Tick) -> None:
        a, b = (load_ticket(path).network for path in (line.a, line.b))
        if subsets is None:
            table = line_between(a, b, points, splits, statistics)
        else:
            table = line_on_subsets(a, b, points, splits, statistics, places)
        save_measured(line.file, table, inputs[line])
        tick(1)

    side_by_side(work, new, workers(device), Bar(len(lines), label, "line", len(lines) - len(new)))


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
