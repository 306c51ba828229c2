"""k-center greedy (Sener and Savarese 2018, "Active learning for convolutional neural networks: a core-set approach",
Alg. 1)."""

import numpy as np

from winnow.selection.evidence import Chosen, Evidence

NEEDS_FEATURES = True


def k_center(evidence: Evidence, size: int, rng: np.random.Generator, *, epoch: int) -> Chosen:
    """One image after another, each the farthest from its nearest kept one in the features after an epoch.

    The first is the image nearest to the mean, so that nothing is left to chance. The largest distance to a kept image
    is at most twice what it could be. Of equal distances the earlier row is taken. In the order of choice, so that a
    smaller subset lies within a larger. Takes one vector of distances, and size times n times d operations.
    """
    features = evidence.features(epoch).astype(np.float32)
    squares = np.einsum("nd,nd->n", features, features)

    def distances(point: np.ndarray) -> np.ndarray:
        """Squared, to every image [n]."""
        return np.maximum(squares - 2 * (features @ point) + point @ point, 0)

    rows = np.empty(size, np.int64)
    rows[0] = distances(features.mean(axis=0)).argmin()
    nearest = np.full(len(features), np.inf, np.float32)
    for i in range(1, size):
        nearest = np.minimum(nearest, distances(features[rows[i - 1]]))
        nearest[rows[i - 1]] = -1  # rounding must not bring it back
        rows[i] = nearest.argmax()
    return Chosen(rows)
