"""k-center greedy (Sener and Savarese 2018, "Active learning for convolutional neural networks: a core-set approach",
Alg. 1)."""

import numpy as np

from winnow.selection.evidence import Chosen, Evidence
from winnow.selection.geometry import lower, points, squared_distances, squared_norms

NEEDS_FEATURES = True
FEWEST, MOST = 64, 4096  # candidates of a round


def k_center(evidence: Evidence, size: int, rng: np.random.Generator, *, epoch: int) -> Chosen:
    """Add images one by one, each the farthest from its nearest kept image in the features after an epoch.

    Starts with the image nearest to the mean, so nothing is random. The largest distance to a kept image is at most
    twice the optimum. Of equal distances it takes the earlier row. Rows are in the order of choice, so a larger subset
    contains a smaller one. Needs a few vectors [n], and size times n times d operations.
    """
    features = points(evidence, epoch)
    return Chosen(farthest_first(features, size))


def farthest_first(features: np.ndarray, size: int) -> np.ndarray:
    """The first ``size`` rows of [n, d] in the order of k-center greedy, int64 [size].

    It goes in rounds. A round chooses among the images that are farthest when it begins, its candidates, while one of
    them is farther than any other image was: distances only fall, so that one is the farthest of all. Then the
    distances of all images are lowered by what the round has chosen, in one matrix product.
    """
    squares = squared_norms(features)
    nearest = np.full(len(features), np.inf)
    from_mean = squared_distances(features, squares, features.mean(axis=0, dtype=np.float64))
    chosen = added = np.array([from_mean.argmin()])
    wide = FEWEST
    while len(chosen) < size:
        lower(nearest, features, squares, added)
        nearest[chosen] = -1  # so that rounding cannot choose it again
        added = _round(features, squares, nearest, wide)[: size - len(chosen)]
        chosen = np.concatenate([chosen, added])
        wide = min(max(4 * len(added), FEWEST), MOST)
    return chosen


def _round(features: np.ndarray, squares: np.ndarray, nearest: np.ndarray, wide: int) -> np.ndarray:
    """The next rows to choose, in order, at least one: ``wide`` candidates at most, fewer if distances are equal."""
    others = np.partition(nearest, -wide - 1)[-wide - 1] if wide < len(nearest) else -1.0  # as far as these are
    candidates = np.flatnonzero(nearest > others)
    if len(candidates) < 2:
        return np.array([nearest.argmax()])
    rows, norms, own = features[candidates].astype(np.float64), squares[candidates], nearest[candidates]
    found = []
    while own[first := own.argmax()] > others:
        found.append(first)
        np.minimum(own, squared_distances(rows, norms, rows[first]), out=own)
        own[first] = -1
    return candidates[found]
