"""The cross-entropy of an image, a baseline."""

import numpy as np

from winnow.scores.runs import EarlyRuns, of_outputs
from winnow.scores.seed_scores import SeedScores


def loss(log_probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """-log p_y in nats: [n] from log softmax [n, classes]."""
    return -log_probabilities[np.arange(len(labels)), labels]


def compute(runs: EarlyRuns) -> SeedScores:
    return of_outputs(runs, loss)
