"""The entropy of a network's output, the oldest measure of its uncertainty (Settles 2009, "Active learning literature
survey", sec. 3.1)."""

import numpy as np


def entropy(log_probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """-sum_k p_k log p_k in nats, [n], from 0 (sure) to log K (a guess among K classes), of log softmax [n, K].

    It does not use the labels: a network that is sure of another class than the label scores as low as one that is sure
    of the label.
    """
    logs = log_probabilities.astype(np.float64)
    return -(np.exp(logs) * np.where(np.isneginf(logs), 0, logs)).sum(axis=1)
