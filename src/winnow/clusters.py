"""Clusters of feature space, by k-means, and directions."""

import warnings

import numpy as np
from threadpoolctl import threadpool_limits

PER_CLASS = 5  # clusters for every class, where the params do not say how many
PASSES = 50  # of k-means, at most
CHUNK = 1 << 22  # numbers in memory at once: 16 MiB in float32


def unit(features: np.ndarray) -> np.ndarray:
    """The rows as float32 of length 1; a row of zeros stays one, and NaN, of a training that diverged, counts as 0."""
    points = np.nan_to_num(features).astype(np.float32, copy=False)
    for part in _parts(points):
        lengths = np.linalg.norm(points[part], axis=1, keepdims=True)
        np.divide(points[part], lengths, out=points[part], where=lengths > 0)
    return points


def k_means(points: np.ndarray, count: int, rng: np.random.Generator, fitted_on: int | None = None) -> np.ndarray:
    """The cluster of each of n points [n, d]: numbers from 0, int64 [n]. No cluster is empty, so there are fewer than
    ``count`` where there are fewer distinct points.

    By Lloyd's passes from the start of k-means++ (Arthur and Vassilvitskii 2007). The order of the points changes
    nothing; turning them all changes nothing but rounding. fitted_on: the centres are those of so many of the points at
    most, drawn at random: more hardly move them.
    """
    from sklearn.cluster import KMeans  # most of a second
    from sklearn.exceptions import ConvergenceWarning

    order = _outwards(points)
    points = points[order]
    fitted = points[np.sort(rng.permutation(len(points))[:fitted_on])] if fitted_on else points
    start = int(rng.integers(2**31))
    # copy_x: the rows are a copy already
    means = KMeans(
        min(count, len(fitted)), n_init=1, max_iter=PASSES, random_state=start, algorithm="lloyd", copy_x=False
    )
    with threadpool_limits(1), warnings.catch_warnings():  # several threads add up in another order
        warnings.simplefilter("ignore", ConvergenceWarning)  # that there are fewer distinct points
        means.fit(fitted)
        cluster = means.predict(points) if fitted_on else means.labels_
    found = np.empty(len(points), np.int64)
    found[order] = np.unique(cluster, return_inverse=True)[1]
    return found


def _outwards(points: np.ndarray) -> np.ndarray:
    """The rows from the nearest to the mean of all to the farthest, int64 [n]; equally far ones by their bytes."""
    rows = np.ascontiguousarray(points)
    whole = np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))
    by_bytes = np.argsort(rows.view(whole).ravel(), kind="stable")  # so that the mean adds up in one order
    mean = rows[by_bytes].mean(axis=0, dtype=np.float64)
    squares = np.concatenate([np.square(rows[by_bytes[part]] - mean).sum(axis=1) for part in _parts(rows)])
    order: np.ndarray = by_bytes[np.argsort(squares, kind="stable")]
    return order


def _parts(points: np.ndarray) -> list[slice]:
    """All rows of [n, d], in parts of CHUNK numbers at most."""
    step = max(1, CHUNK // max(1, points.shape[1]))
    return [slice(start, start + step) for start in range(0, max(1, len(points)), step)]


def directions(points: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """The mean of the points [n, d] of each cluster, as float32 of length 1: [clusters, d]. None may be empty."""
    order = np.argsort(clusters, kind="stable")
    starts = np.searchsorted(clusters[order], np.arange(clusters.max() + 1))
    return unit(np.add.reduceat(points[order].astype(np.float64), starts))


def cosine_distances(points: np.ndarray, clusters: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """1 - the cosine of each unit point [n, d] with the direction of its own cluster: float32 [n]."""
    found = np.empty(len(points), np.float32)
    for part in _parts(points):
        found[part] = 1 - np.einsum("nd,nd->n", points[part], centers[clusters[part]])
    return found
