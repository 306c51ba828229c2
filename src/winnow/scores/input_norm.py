"""The norm of the input, a baseline: Kirsch (2023) found that GraNd at initialisation mostly ranks by it."""

import numpy as np

from winnow.datasets.images import Pixels, chunks, load_facts, load_pixels
from winnow.scores.runs import EarlyRuns
from winnow.scores.seed_scores import NO_EPOCH, SeedScores


def input_norm(pixels: Pixels, mean: list[float], std: list[float]) -> np.ndarray:
    """L2 norm of every normalised image: [n] from uint8 pixels [n, c, h, w] and the channels' mean and deviation."""
    shape = (1, -1, 1, 1)
    centre, scale = np.reshape(mean, shape), np.maximum(np.reshape(std, shape), 1e-6)
    norms = [np.sqrt(np.square((chunk / 255 - centre) / scale).sum(axis=(1, 2, 3))) for chunk in chunks(pixels)]
    return np.concatenate(norms)


def compute(runs: EarlyRuns) -> SeedScores:
    facts = load_facts(runs.dataset)
    norms = input_norm(load_pixels(runs.dataset, "train"), facts["mean"], facts["std"]).astype(np.float32)
    return SeedScores(np.tile(norms, (len(runs.seeds), 1, 1)), runs.seeds, [NO_EPOCH])
