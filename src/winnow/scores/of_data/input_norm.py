"""The norm of the input, a baseline: Kirsch (2023) found that GraNd at initialisation mostly ranks by it."""

import numpy as np

from winnow.datasets.images import Pixels, chunks, load_facts, load_pixels
from winnow.scores.runs import EarlyRuns


def input_norm(runs: EarlyRuns) -> np.ndarray:
    """The ``norms`` of the training images."""
    facts = load_facts(runs.dataset)
    return norms(load_pixels(runs.dataset, "train"), facts["mean"], facts["std"])[None].astype(np.float32)


def norms(pixels: Pixels, mean: list[float], std: list[float]) -> np.ndarray:
    """L2 norm [n] of every normalised image, from uint8 pixels [n, c, h, w] and the channels' mean and deviation."""
    shape = (1, -1, 1, 1)
    centre, scale = np.reshape(mean, shape), np.maximum(np.reshape(std, shape), 1e-6)
    parts = [np.sqrt(np.square((chunk / 255 - centre) / scale).sum(axis=(1, 2, 3))) for chunk in chunks(pixels)]
    return np.concatenate(parts)
