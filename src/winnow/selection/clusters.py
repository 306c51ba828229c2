"""Clusters of feature space, by k-means, and directions."""

import numpy as np
from threadpoolctl import threadpool_limits

PER_CLASS = 5  # clusters for every class, where the params do not say how many
PASSES = 50  # of k-means, at most
CHUNK = 1 << 22  # products in memory at once: 16 MiB in float32


def unit(features: np.ndarray) -> np.ndarray:
    """The rows as float32 of length 1; a row of zeros stays one, and NaN, of a training that diverged, counts as 0."""
    points = np.nan_to_num(features).astype(np.float32)
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    return np.divide(points, lengths, out=points, where=lengths > 0)


def k_means(points: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """The cluster of each of n points [n, d]: numbers from 0, int64 [n]. No cluster is empty.

    k-means begins with distinct points drawn at random; if there are fewer than ``count``, each is a cluster.
    """
    from sklearn.cluster import KMeans  # most of a second

    distinct = np.unique(points, axis=0)
    first = distinct[rng.choice(len(distinct), min(count, len(distinct)), replace=False)]
    with threadpool_limits(1):  # several threads add up in another order
        found = KMeans(len(first), init=first, n_init=1, max_iter=PASSES, algorithm="lloyd").fit(points)
    return np.unique(found.labels_, return_inverse=True)[1].astype(np.int64)


def directions(points: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """The mean of the points [n, d] of each cluster, as float32 of length 1: [clusters, d]. None may be empty."""
    order = np.argsort(clusters, kind="stable")
    starts = np.searchsorted(clusters[order], np.arange(clusters.max() + 1))
    return unit(np.add.reduceat(points[order].astype(np.float64), starts))


def cosine_distances(points: np.ndarray, clusters: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """1 - the cosine of each unit point [n, d] with the direction of its own cluster: float32 [n]."""
    found = np.empty(len(points), np.float32)
    step = max(1, CHUNK // points.shape[1])
    for start in range(0, len(points), step):
        part = slice(start, start + step)
        found[part] = 1 - np.einsum("nd,nd->n", points[part], centers[clusters[part]])
    return found
