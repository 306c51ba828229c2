"""The compression gap (PASER 2025, "Post-training data selection for efficient pruned large language model recovery").

The paper measures it on language models; for images it is this library's.
"""

import numpy as np


def compression_gap(dense: np.ndarray, cut: np.ndarray) -> np.ndarray:
    """How far pruning moves the prediction for an image: the Jensen-Shannon divergence of the two, in nats, [n], from 0
    (the same) to log 2 (nothing in common).

    High values are images that the pruned network predicts otherwise, right or wrong; the labels are not used.
    """
    first, second = dense.astype(np.float64), cut.astype(np.float64)
    middle = np.logaddexp(first, second) - np.log(2)
    gap: np.ndarray = (_divergence(first, middle) + _divergence(second, middle)) / 2
    return gap.clip(min=0)  # of equal predictions, rounding could leave less than nothing


def _divergence(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The Kullback-Leibler divergence of log probabilities [n, classes], float64 [n]; impossible classes count 0."""
    possible = one > -np.inf
    with np.errstate(invalid="ignore"):
        return np.where(possible, np.exp(one) * (one - other), 0).sum(axis=1)
