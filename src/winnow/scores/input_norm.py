"""The norm of the input, a baseline: Kirsch (2023) found that GraNd at initialisation mostly ranks by it."""

import numpy as np

from winnow.datasets.images import load_facts, load_pixels
from winnow.scores.runs import EarlyRuns
from winnow.scores.seed_scores import NO_EPOCH, SeedScores


def input_norm(pixels: np.ndarray, mean: list[float], std: list[float], chunk: int = 4096) -> np.ndarray:
    """L2 norm of every normalised image: [n] from uint8 pixels [n, c, h, w] and the channels' mean and deviation."""
    shape = (1, -1, 1, 1)
    centre, scale = np.reshape(mean, shape), np.maximum(np.reshape(std, shape), 1e-6)
    norms = [
        np.sqrt(np.square((pixels[i : i + chunk] / 255 - centre) / scale).sum(axis=(1, 2, 3)))
        for i in range(0, len(pixels), chunk)
    ]
    return np.concatenate(norms)


def compute(runs: EarlyRuns) -> SeedScores:
    facts = load_facts(runs.dataset)
    norms = input_norm(load_pixels(runs.dataset, "train"), facts["mean"], facts["std"]).astype(np.float32)
    return SeedScores(np.tile(norms, (len(runs.seeds), 1, 1)), runs.seeds, [NO_EPOCH])
