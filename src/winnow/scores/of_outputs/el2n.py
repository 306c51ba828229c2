"""EL2N, the L2 norm of the error vector (Data Diet, Def. 2.3)."""

import numpy as np


def el2n(log_probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """||p - y||_2, [n], from 0 to sqrt(2), where p is the softmax [n, classes] and y the one-hot label."""
    return np.linalg.norm(error_vectors(log_probabilities, labels), axis=1)


def error_vectors(log_probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """p - y, float64 [n, classes]."""
    errors = np.exp(log_probabilities.astype(np.float64))
    rows = np.arange(len(labels))
    errors[rows, labels] = 0
    # p_y - 1 as minus the sum of the others: near p_y = 1 its float32 logarithm has lost the difference
    errors[rows, labels] = -errors.sum(axis=1)
    return errors
