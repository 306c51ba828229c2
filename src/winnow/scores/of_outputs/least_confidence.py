"""Least confidence (Lewis and Gale 1994, "A sequential algorithm for training text classifiers")."""

import numpy as np


def least_confidence(log_probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """1 - max_k p_k, [n], from 0 (sure) to 1 - 1/K (a guess among K classes), of log softmax [n, K]. It does not use
    the labels."""
    logs = log_probabilities.astype(np.float64)
    # as the sum of the others: near 1 the largest has lost the difference
    return np.sort(np.exp(logs), axis=1)[:, :-1].sum(axis=1)
