"""What networks trained to the end predict for the held-out images."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from winnow.storage import load_table, load_tensors, save_table, save_tensors
from winnow.training.batches import DeviceImages
from winnow.training.evaluate import accuracy, log_probabilities, mean_loss
from winnow.training.fit import Hook
from winnow.training.loop import Run, history


def keep_outputs(held_out: Mapping[str, DeviceImages]) -> Hook:
    """At the end: keep ``network.safetensors`` (the network), ``outputs.safetensors`` (log_probabilities, float32
    [n, classes], of each held-out split by its name) and ``history.csv`` (one row per epoch, one pass over the images,
    or over those that a plan chose).
    """

    def on_end(run: Run) -> None:
        outputs = {name: log_probabilities(run.network, part) for name, part in held_out.items()}
        save_tensors(run.working / "network.safetensors", run.network.state_dict())
        save_tensors(run.working / "outputs.safetensors", outputs)
        save_table(run.working / "history.csv", history(run))

    return on_end


def visits_of(folder: Path, seeds: Sequence[int]) -> dict[int, int]:
    """How many images the run of every seed visited, by the seed, for runs ``folder/seed<s>`` with a plan."""
    return {seed: int(load_table(folder / f"seed{seed}" / "history.csv")["visits"].sum()) for seed in seeds}


def results(folder: Path, seeds: Sequence[int], labels: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """One row per seed and held-out split of the runs ``folder/seed<s>``: seed, split, accuracy (0 to 1), loss (nats).

    labels: int64 [n] of each split, by its name.
    """
    rows = []
    for seed in seeds:
        for split, outputs in load_tensors(folder / f"seed{seed}" / "outputs.safetensors").items():
            rows.append((seed, split, accuracy(outputs, labels[split]), mean_loss(outputs, labels[split])))
    return pd.DataFrame(rows, columns=["seed", "split", "accuracy", "loss"])
