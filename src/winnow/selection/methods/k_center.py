"""k-center greedy (Sener and Savarese 2018, "Active learning for convolutional neural networks: a core-set approach",
Alg. 1)."""

import numpy as np

from winnow.selection.evidence import Chosen, Evidence

NEEDS_FEATURES = True


def k_center(evidence: Evidence, size: int, rng: np.random.Generator, *, epoch: int) -> Chosen:
    """Add images one by one, each the farthest from its nearest kept image in the features after an epoch.

    Starts with the image nearest to the mean, so nothing is random. The largest distance to a kept image is at most
    twice the optimum. Of equal distances it takes the earlier row. Rows are in the order of choice, so a larger subset
    contains a smaller one. Needs one vector of distances, and size times n times d operations.
    """
    features = evidence.features(epoch).astype(np.float32)
    squares = np.einsum("nd,nd->n", features, features)

    def distances(point: np.ndarray) -> np.ndarray:
        """Squared distances to every image [n]."""
        return np.maximum(squares - 2 * (features @ point) + point @ point, 0)

    rows = np.empty(size, np.int64)
    rows[0] = distances(features.mean(axis=0)).argmin()
    nearest = np.full(len(features), np.inf, np.float32)
    for i in range(1, size):
        nearest = np.minimum(nearest, distances(features[rows[i - 1]]))
        nearest[rows[i - 1]] = -1  # so that rounding cannot choose it again
        rows[i] = nearest.argmax()
    return Chosen(rows)
