"""Memorization with the probability of the label in place of right or wrong: fewer networks do."""

import numpy as np


def soft_memorization(log_probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """p_y, the probability that the network gives the label: [n], from 0 to 1, of log softmax [n, classes].

    So the score is from -1 to 1, as ``memorization``: by how much training on the image raises p_y.
    """
    return np.exp(log_probabilities[np.arange(len(labels)), labels].astype(np.float64))
