"""Scores of networks that trained without labels."""

from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from winnow import methods
from winnow.scores.families import OF_PRETRAINED
from winnow.scores.seed_scores import NO_EPOCH, SeedScores
from winnow.storage import load_tensors


def of_pretrained(name: str, folder: Path, classes: int) -> SeedScores:
    """A score of every seed below ``folder`` (``training.pretrain.keep_features``); NaN of a seed whose training
    diverged."""
    score = methods.find(OF_PRETRAINED, name)
    seeds = sorted(int(path.name.removeprefix("seed")) for path in folder.iterdir())
    values = []
    for seed in seeds:
        path = folder / f"seed{seed}" / "features.safetensors"
        features = load_tensors(path)["features"].astype(np.float32)
        if np.isfinite(features).all():
            with threadpool_limits(1):  # several threads add up in another order
                values.append(score(features, classes))
        else:
            values.append(np.full(len(features), np.nan))
    return SeedScores(np.array(values, np.float32)[:, None], seeds, [NO_EPOCH])
