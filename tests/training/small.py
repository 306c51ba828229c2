"""A training that takes a tenth of a second: 40 images of 6x6 pixels, three classes, a narrow network."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from winnow.datasets.images import Images
from winnow.params.training import Augment, Network, Training
from winnow.training import loop
from winnow.training.batches import DeviceImages, to_device
from winnow.training.device import chosen_device
from winnow.training.early import early_schedule, keep_epochs, keep_visits
from winnow.training.fit import Task, fit, fresh
from winnow.training.workers import Tick

CLASSES = 3
NETWORK = Network(name="convnet", width=2)
FACTS = {"mean": [0.4, 0.6], "std": [0.3, 0.2]}
TRAINING = Training(
    length="5 epochs",
    batch_size=8,
    learning_rate=0.1,
    warmup="3 steps",
    decay_at=["2 epochs", "18 steps"],
    augment=Augment(crop=1, flip=True),
)
EPOCHS = [0, 1, 3, 5]


def pictures(count: int = 43, seed: int = 0) -> Images:
    """Noise whose brightness tells the class."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(CLASSES, size=count)
    pixels = rng.integers(100, size=(count, 2, 6, 6)) + 70 * labels[:, None, None, None]
    return Images(pixels.astype(np.uint8), labels, np.array([f"train/{i}" for i in range(count)]), np.arange(count))


def on_cpu(images: Images) -> DeviceImages:
    return to_device(images, FACTS, chosen_device())


def early(folder: Path, tick: Tick = lambda steps: None, seed: int = 3, **changes) -> Path:
    """The training of the stage early of one seed on these images, into ``folder``."""
    settings = {"network": NETWORK, "training": TRAINING, "epochs": EPOCHS} | changes
    images, validation, epochs = on_cpu(pictures()), on_cpu(pictures(7, seed=1)), settings["epochs"]
    schedule = early_schedule(settings["training"], len(images), epochs)
    task = Task(images, settings["training"], schedule, fresh(settings["network"], images, CLASSES))
    with named(folder, seed) as parent:
        fit(task, [seed], parent, tick, keep_visits(len(images)), keep_epochs(images, validation, epochs))
    return folder


@contextmanager
def named(folder: Path, seed: int) -> Iterator[Path]:
    """A folder whose ``seed<s>`` takes the name ``folder`` at the end; what is there by that name is its start."""
    parent = folder.with_name(f"{folder.name}.parent")
    parent.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        folder.rename(parent / f"seed{seed}")
    yield parent
    (parent / f"seed{seed}").rename(folder)
    parent.rmdir()


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def interrupted(train: Callable[[], Any], every: int, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, int]:
    """Interrupt a training where it would save its state, each ``every``-th time, and begin it again until it is done.
    Returns what it returns, and how often it was interrupted."""
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_SAVES", 0)
    save, calls, interruptions = loop.save, count(1), 0

    def sometimes(run: loop.Run) -> None:
        if next(calls) % every == 0:
            raise KeyboardInterrupt
        save(run)

    monkeypatch.setattr(loop, "save", sometimes)
    while True:
        try:
            return train(), interruptions
        except KeyboardInterrupt:
            interruptions += 1
