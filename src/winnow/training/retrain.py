"""Fresh networks trained on a subset to the end of the schedule, and what they say of the held-out images."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from winnow.networks import initialise
from winnow.params.training import Network, Training
from winnow.storage import load_tensors, save_table, save_tensors
from winnow.training.batches import DeviceImages
from winnow.training.evaluate import accuracy, log_probabilities, mean_loss
from winnow.training.loop import finish, history, start, train
from winnow.training.schedule import Schedule
from winnow.training.workers import Tick


def retrain(
    seeds: Sequence[int],
    images: DeviceImages,
    held_out: Mapping[str, DeviceImages],
    classes: int,
    network: Network,
    training: Training,
    plan: Schedule,
    folder: Path,
    tick: Tick,
) -> None:
    """Train a fresh network for every seed on the images and keep in ``folder/seed<s>``:

    - ``network.safetensors``: the network after the last step
    - ``outputs.safetensors``: log_probabilities, float32 [n, classes], of each held-out part by its name
    - ``history.csv``: one row per epoch (a pass over the images)

    Interrupted, the same call goes on from the last finished epoch, and ends in the same bytes.
    """
    folders = {seed: folder / f"seed{seed}" for seed in seeds}
    runs = [
        start(seed, initialise(network, classes, images.shape, seed), training, images.device, path)
        for seed, path in folders.items()
        if not path.exists()
    ]
    for _ in train(runs, images, training, plan, tick):
        pass
    for run in runs:
        outputs = {name: log_probabilities(run.network, part) for name, part in held_out.items()}
        save_tensors(run.working / "network.safetensors", run.network.state_dict())
        save_tensors(run.working / "outputs.safetensors", outputs)
        save_table(run.working / "history.csv", history(run))
        finish(run)


def results(folder: Path, seeds: Sequence[int], labels: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """One row per seed and held-out part of the runs ``folder/seed<s>``: seed, split, accuracy (0 to 1), loss (nats).

    labels: int64 [n] of each part, by its name.
    """
    rows = []
    for seed in seeds:
        for split, outputs in load_tensors(folder / f"seed{seed}" / "outputs.safetensors").items():
            rows.append((seed, split, accuracy(outputs, labels[split]), mean_loss(outputs, labels[split])))
    return pd.DataFrame(rows, columns=["seed", "split", "accuracy", "loss"])
