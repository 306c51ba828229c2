"""Memorization (Feldman and Zhang 2020, "What neural networks memorize and why", eq. 1)."""

import numpy as np


def memorization(log_probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Whether the network gives an image its label: [n], 1 right and 0 wrong, of log softmax [n, classes].

    So the score is from -1 to 1: by how much training on the image raises the chance of its label. It is near 0 for an
    image that others stand in for, and near 1 for an atypical one, or one whose label is wrong. Its standard error is
    about sqrt(p (1 - p) / a + q (1 - q) / b) for a networks that trained on the image, right with a chance p, and b
    others with a chance q: up to 0.11 for 100 networks and a share of 0.7.
    """
    return (log_probabilities.argmax(axis=1) == labels).astype(np.float64)
