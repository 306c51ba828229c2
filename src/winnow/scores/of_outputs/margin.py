"""The largest margin, a baseline of the Data Diet authors' code."""

import numpy as np


def margin(log_probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """max over k != y of p_k - p_y, [n], from -1 (surely right) to 1 (surely wrong), of log softmax [n, classes]."""
    probabilities = np.exp(log_probabilities.astype(np.float64))
    rows = np.arange(len(labels))
    given = probabilities[rows, labels]
    probabilities[rows, labels] = -np.inf
    return probabilities.max(axis=1) - given
