"""Margin uncertainty (Scheffer et al. 2001, "Active hidden Markov models for information extraction").

Not ``margin``, which asks how far the label is ahead.
"""

import numpy as np

from winnow.scores.of_outputs.least_confidence import least_confidence


def margin_uncertainty(log_probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """1 - (p_1 - p_2) of the two most probable classes, [n], from 0 (sure) to 1 (torn between two), of log softmax
    [n, K] with K from 2 on. It does not use the labels."""
    second = np.exp(np.partition(log_probabilities.astype(np.float64), -2, axis=1)[:, -2])
    return least_confidence(log_probabilities, labels) + second
