"""The values of one score for every seed, epoch and image, and their file."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from winnow.storage import load_tensors, save_tensors

NO_EPOCH = -1


@dataclass(frozen=True)
class SeedScores:
    """One score of every image: values, float32 [seeds, epochs, n], NaN if the seed has not trained on the image. A
    score that does not depend on training has the single epoch NO_EPOCH. A score of networks that trained on parts of
    the images has what each seed contributes: only the mean over all seeds is the score."""

    values: np.ndarray
    seeds: list[int]
    epochs: list[int]


def save_scores(path: str | Path, scores: SeedScores) -> None:
    """Write one score of one cohort."""
    save_tensors(path, {"values": scores.values, "seeds": np.array(scores.seeds), "epochs": np.array(scores.epochs)})


def load_scores(paths: Iterable[str | Path]) -> SeedScores:
    """One score of all cohorts, their seeds joined. Raises ValueError if their epochs or images differ."""
    paths = list(paths)
    parts = [load_tensors(path) for path in paths]
    for path, part in zip(paths, parts, strict=True):
        if part["values"].shape[1:] != parts[0]["values"].shape[1:] or list(part["epochs"]) != list(parts[0]["epochs"]):
            raise ValueError(f"{path}: its epochs or images are not those of {paths[0]}")
    return SeedScores(
        values=np.concatenate([part["values"] for part in parts]),
        seeds=[int(seed) for part in parts for seed in part["seeds"]],
        epochs=[int(epoch) for epoch in parts[0]["epochs"]],
    )
