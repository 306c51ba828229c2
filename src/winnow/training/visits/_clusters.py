"""k-means of features, in time and memory linear in the number of images, and equal counts of its clusters."""

from collections.abc import Iterator

import numpy as np

FITTED_ON = 20_000  # images at most, drawn at random: more hardly move the centres
ROUNDS = 20
CHUNK = 8192  # images whose distances to all centres are in memory at a time


def clusters_of(features: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """The cluster of every image, int64 [n], from 0, by k-means (Lloyd 1982) begun at k-means++ (Arthur and
    Vassilvitskii 2007). features: float [n, d]. A cluster may be empty where features are equal."""
    sample = features[np.sort(rng.permutation(len(features))[:FITTED_ON])].astype(np.float32)
    centres = _spread(sample, count, rng)
    cluster = np.full(len(sample), -1)
    for _ in range(ROUNDS):
        before, cluster = cluster, _nearest(sample, centres)
        if np.array_equal(before, cluster):
            break
        sums, sizes = np.zeros((count, sample.shape[1])), np.bincount(cluster, minlength=count)
        np.add.at(sums, cluster, sample)
        centres = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], centres).astype(np.float32)
    return _nearest(features, centres)


def _spread(points: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Centres to begin with [count, d]: points, each drawn with a chance that grows with the squared distance to the
    nearest before it."""
    centres = points[rng.integers(len(points), size=1)]
    distance = np.full(len(points), np.inf)
    while len(centres) < count:
        distance = np.minimum(distance, ((points - centres[-1]) ** 2).sum(axis=1, dtype=np.float64))
        steps = np.cumsum(distance)
        row = np.searchsorted(steps, rng.random() * steps[-1], side="right")  # a point of distance 0 is not drawn
        centres = np.concatenate([centres, points[min(row, len(points) - 1)][None]])
    return centres


def _nearest(features: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """The nearest centre of every image, int64 [n]; of equally near ones the first."""
    squares = (centres**2).sum(axis=1)
    parts = [(squares - 2 * part @ centres.T).argmin(axis=1) for part in _chunks(features)]
    return np.concatenate(parts)


def _chunks(features: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(features), CHUNK):
        yield features[start : start + CHUNK].astype(np.float32)


def equal_counts(sizes: np.ndarray, total: int) -> np.ndarray:
    """How many images each cluster gives, int64 [clusters]: equally many but for one, or all of a smaller cluster;
    ``total`` together, at most all there are. Of equal clusters the first give one more."""
    low, high = 0, int(sizes.max(initial=0))  # the largest level at which min(size, level) add up to at most the total
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if np.minimum(sizes, middle).sum() <= total else (low, middle - 1)
    counts = np.minimum(sizes, low)
    counts[np.flatnonzero(sizes > low)[: total - counts.sum()]] += 1
    return counts
