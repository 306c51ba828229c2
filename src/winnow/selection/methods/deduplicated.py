"""Semantic de-duplication (Abbas et al. 2023, "SemDeDup: data-efficient learning at web-scale through semantic
deduplication", sec. 3).

That images far from the center of their cluster come first is from memory of the paper, not checked.
"""

from typing import Annotated

import numpy as np
from annotated_types import Ge
from threadpoolctl import threadpool_limits

from winnow.clusters import CHUNK, PER_CLASS, cosine_distances, directions, k_means, unit
from winnow.selection.evidence import Chosen, Evidence
from winnow.selection.geometry import points

NEEDS_FEATURES = True


def deduplicated(
    evidence: Evidence,
    size: int,
    rng: np.random.Generator,
    *,
    epoch: int,
    clusters: Annotated[int, Ge(1)] | None = None,
) -> Chosen:
    """Leave out the images that are most similar to one that stays.

    clusters: of k-means on the directions of the features after an epoch, over all classes; 5 times the number of
    classes if left out. Images are compared within their cluster. In each, the images farthest from the center come
    first, and an image's similarity is its highest cosine with one before it. Those of the lowest similarity are kept.
    So exact copies, whose features are equal, are the first to go, all but one.

    Only the beginning of k-means is random. Rows are in the order of rising similarity, so a larger subset contains a
    smaller one. Needs d operations for every pair of a cluster.
    """
    found = unit(points(evidence, epoch))
    cluster = k_means(found, clusters or PER_CLASS * evidence.classes, rng)
    apart = cosine_distances(found, cluster, directions(found, cluster))
    order = np.lexsort((-apart, cluster))
    ends = np.cumsum(np.bincount(cluster))
    similarity = np.empty(len(found), np.float32)
    for rows in np.split(order, ends[:-1]):
        similarity[rows] = similarity_to_earlier(found[rows])
    return Chosen(np.argsort(similarity, kind="stable")[:size])


def similarity_to_earlier(points: np.ndarray) -> np.ndarray:
    """The highest product of each unit point [n, d] with one before it: float32 [n]; -1 of the first."""
    found = np.full(len(points), -1, np.float32)
    step = max(1, CHUNK // len(points))
    for start in range(0, len(points), step):
        end = min(start + step, len(points))
        with threadpool_limits(1, user_api="blas"):
            products = points[start:end] @ points[:end].T
        products[np.arange(end) >= np.arange(start, end)[:, None]] = -1
        found[start:end] = products.max(axis=1)
    return found
