"""Scores of networks that trained on one half of the images and then on the other."""

from pathlib import Path

import numpy as np

from winnow import methods
from winnow.scores.families import OF_SPLITS
from winnow.scores.seed_scores import NO_EPOCH, SeedScores
from winnow.storage import load_tensors


def of_splits(name: str, folder: Path, images: int) -> SeedScores:
    """A score of every seed below ``folder`` (``training.second_split.train_on_halves``): every image is in the first
    half of one of the seed's two trainings."""
    score = methods.find(OF_SPLITS, name)
    seeds = sorted(int(path.name.removeprefix("seed")) for path in (folder / "ab").iterdir())
    values = np.full((len(seeds), 1, images), np.nan, np.float32)
    for of_seed, seed in zip(values, seeds, strict=True):
        for order in ("ab", "ba"):
            kept = load_tensors(folder / order / f"seed{seed}" / "right.safetensors")
            of_seed[0, kept["rows"]] = score(kept["right"])
    return SeedScores(values, seeds, [NO_EPOCH])
