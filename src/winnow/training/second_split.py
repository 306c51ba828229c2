"""Training on one half of the images and then on the other, to see what of the first is forgotten (Maini et al. 2022,
"Characterizing datapoints via second-split forgetting")."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import nn

from winnow.params.training import Network, Training
from winnow.storage import load_tensors, save_table, save_tensors
from winnow.streams import numpy_stream
from winnow.training.batches import DeviceImages
from winnow.training.checkpoint import load_network
from winnow.training.evaluate import log_probabilities
from winnow.training.fit import Hook, Task, fit_side_by_side, fresh
from winnow.training.loop import Beginning, Run, history
from winnow.training.schedule import make_schedule

KEPT = "network.safetensors"
ORDERS = ("ab", "ba")  # of the halves


def halves_of(seeds: Sequence[int], images: int) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
    """The rows of the two halves of each seed, int64, rising; of an odd number of images the second has one more."""
    orders = {seed: numpy_stream(seed, "halves").permutation(images) for seed in seeds}
    first = {seed: np.sort(order[: images // 2]) for seed, order in orders.items()}
    return first, {seed: np.sort(order[images // 2 :]) for seed, order in orders.items()}


def train_on_halves(
    images: DeviceImages,
    network: Network,
    training: Training,
    classes: int,
    seeds: Sequence[int],
    folder: Path,
    label: str,
) -> Path:
    """Train every seed on one half to the end of the schedule, and from there, with a new optimiser, on the other half
    through the same schedule again; then the same with fresh networks and the halves exchanged.

    Returns the folder of what the second halves left: ``ab/seed<s>`` and ``ba/seed<s>``, as ``keep_right`` does. After
    an interruption, the same call resumes, and ends in the same bytes. Raises ValueError if a half has fewer images
    than a batch.
    """
    halves = halves_of(seeds, len(images))
    first, second = folder / "first", folder / "second"

    def task(parts: dict[int, np.ndarray], before: Path | None) -> Task:
        begin = fresh(network, images, classes, parts)

        def go_on(seed: int) -> Beginning:
            fresh_one = begin(seed)
            if before is not None:
                _load(fresh_one.network, before / f"seed{seed}" / KEPT)
            return fresh_one

        return Task(images, training, make_schedule(training, len(parts[seeds[0]])), go_on)

    tasks = {first / order: task(parts, None) for order, parts in zip(ORDERS, halves, strict=True)}
    fit_side_by_side(tasks, seeds, f"{label}, first halves", on_end=_keep_network)
    tasks = {second / order: task(parts, first / order) for order, parts in zip(ORDERS, halves[::-1], strict=True)}
    on_epoch, on_end = keep_right(images)
    fit_side_by_side(tasks, seeds, f"{label}, second halves", on_end=on_end, on_epoch=on_epoch)
    return second


def keep_right(images: DeviceImages) -> tuple[Hook, Hook]:
    """After every epoch: record which of the images that the run does not train on it gets right, without augmentation.
    At the end: keep ``right.safetensors`` (right, uint8 [epochs, m], and rows, int64 [m]: these images) and
    ``history.csv``.

    Batch norm is in evaluation mode; the authors leave it in training mode, where an image's output depends on the
    others of its batch.
    """

    def others(run: Run) -> np.ndarray:
        assert run.rows is not None
        return np.setdiff1d(np.arange(len(images)), run.rows.numpy())

    def on_epoch(run: Run) -> None:
        if run.epoch > 0:
            part = images.part(others(run))
            outputs = log_probabilities(run.network, part)
            run.record("right", (outputs.argmax(axis=1) == part.labels.cpu().numpy()).astype(np.uint8))

    def on_end(run: Run) -> None:
        rows = others(run)
        right = np.array(run.records.get("right", []), np.uint8).reshape(-1, len(rows))
        save_tensors(run.working / "right.safetensors", {"right": right, "rows": rows})
        save_table(run.working / "history.csv", history(run))

    return on_epoch, on_end


def _keep_network(run: Run) -> None:
    state = {f"network.{name}": tensor for name, tensor in run.network.state_dict().items()}
    save_tensors(run.working / KEPT, state)


def _load(network: nn.Module, path: Path) -> None:
    load_network(network, load_tensors(path))
