"""A training that takes a tenth of a second: 40 images of 6x6 pixels, three classes, a narrow network."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from winnow.datasets.images import Images
from winnow.networks import build, initialise
from winnow.params.training import Augment, Network, Training
from winnow.training import loop
from winnow.training.batches import DeviceImages, to_device
from winnow.training.checkpoint import load_network
from winnow.training.device import chosen_device
from winnow.training.early import early_schedule, keep_epochs, keep_visits
from winnow.training.fit import Task, fit, fresh
from winnow.training.workers import Tick

CLASSES = 3
SHAPE = (2, 6, 6)
NETWORK = Network(name="convnet", width=2)
FACTS = {"mean": [0.4, 0.6], "std": [0.3, 0.2]}
TRAINING = Training(
    length="5 epochs",
    batch_size=8,
    learning_rate=0.1,
    warmup="3 steps",
    decay_at=["2 epochs", "18 steps"],
    augment=Augment(crop=1, flip=True),
    precision="float32",  # on every device: the tests compare numbers
)
EPOCHS = [0, 1, 3, 5]


def pictures(count: int = 43, seed: int = 0) -> Images:
    """Noise whose brightness tells the class."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(CLASSES, size=count)
    pixels = rng.integers(100, size=(count, 2, 6, 6)) + 70 * labels[:, None, None, None]
    return Images(pixels.astype(np.uint8), labels, np.array([f"train/{i}" for i in range(count)]), np.arange(count))


def on_device(images: Images) -> DeviceImages:
    """These images on the chosen device, which is a GPU where there is one."""
    return to_device(images, FACTS, chosen_device())


def initialised(seed: int, network: Network = NETWORK) -> nn.Module:
    """The network that a run of ``seed`` starts with, on the chosen device."""
    return initialise(network, CLASSES, SHAPE, seed).to(chosen_device())


def kept_network(tensors: dict[str, np.ndarray], network: Network = NETWORK) -> nn.Module:
    """The network of a file that a training has left, on the chosen device."""
    found = build(network, CLASSES, SHAPE).to(chosen_device(), memory_format=torch.channels_last)
    load_network(found, tensors)
    return found


def state_of(network: nn.Module) -> dict[str, Tensor]:
    """The network's state dict, on the CPU."""
    return {name: tensor.cpu() for name, tensor in network.state_dict().items()}


def early(folder: Path, tick: Tick = lambda steps: None, seed: int = 3, **changes) -> Path:
    """The training of the stage early of one seed on these images, into ``folder``."""
    settings = {"network": NETWORK, "training": TRAINING, "epochs": EPOCHS} | changes
    images, validation, epochs = on_device(pictures()), on_device(pictures(7, seed=1)), settings["epochs"]
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
