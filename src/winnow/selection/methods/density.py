"""Density-based pruning (Abbas et al. 2024, "Effective pruning of web-scale data based on complexity of concept
clusters", sec. 3).

The paper solves a quadratic program for the number of images of a cluster. It is a projection, which bisection finds.
The temperature of 0.5 and the lower bound are those of the authors' code; the paper's own values are not checked.
"""

from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt

from winnow.clusters import PER_CLASS, cosine_distances, directions, k_means, unit
from winnow.counts import rounded
from winnow.selection.evidence import Chosen, Evidence
from winnow.selection.geometry import points

NEEDS_FEATURES = True
NEAREST = 20  # clusters to which the distance between clusters is a mean
LEAST = 0.5  # of an equal part, which every cluster keeps
HALVINGS = 200


def density(
    evidence: Evidence,
    size: int,
    rng: np.random.Generator,
    *,
    epoch: int,
    clusters: Annotated[int, Ge(1)] | None = None,
    temperature: Annotated[float, Gt(0)] = 0.5,
) -> Chosen:
    """Keep more images of clusters that are wide and far from others, and of a cluster those farthest from its center.

    clusters: of k-means on the directions of the features after an epoch, over all classes; 5 times the number of
    classes if left out. A cluster's complexity is the mean cosine distance of its images to its center, times the mean
    cosine distance of its center to the 20 nearest ones. Its share is the softmax of complexity over temperature, so a
    high temperature gives equal numbers. The numbers are the nearest to these shares that no cluster is too small for
    and that leave every cluster half of an equal part.

    Only the beginning of k-means is random. Needs one pass of k-means.
    """
    found = unit(points(evidence, epoch))
    cluster = k_means(found, clusters or PER_CLASS * evidence.classes, rng)
    centers = directions(found, cluster)
    apart = cosine_distances(found, cluster, centers)
    sizes = np.bincount(cluster)
    within = np.bincount(cluster, apart) / sizes
    complexity = within * between(centers)
    counts = counts_of(complexity, sizes, size, temperature)
    order = np.lexsort((-apart, cluster))  # of every cluster the farthest first; of equal ones the earlier row
    rank = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return Chosen(order[rank < np.repeat(counts, sizes)])


def between(centers: np.ndarray) -> np.ndarray:
    """The mean cosine distance of each unit vector [k, d] to the nearest others, 20 at most: float64 [k]; 0 of one."""
    count = min(NEAREST, len(centers) - 1)
    if count == 0:
        return np.zeros(1)
    distances = 1 - centers.astype(np.float64) @ centers.T
    np.fill_diagonal(distances, np.inf)
    return np.sort(distances, axis=1)[:, :count].mean(axis=1)


def counts_of(complexity: np.ndarray, sizes: np.ndarray, total: int, temperature: float) -> np.ndarray:
    """How many images every cluster keeps, int64 [k], which sum to ``total``.

    The nearest, by squares, to total x softmax(complexity / temperature), between half of an equal part (or one less
    than all, where that is less) and all that the cluster has.
    """
    logits = complexity / temperature
    shares = np.exp(logits - logits.max())
    wanted = total * shares / shares.sum()
    lowest = np.minimum(int(LEAST * total / len(sizes)), sizes - 1)
    low, high = (lowest - wanted).min() - 1.0, (sizes - wanted).max() + 1.0
    for _ in range(HALVINGS):  # the sum of the clipped numbers rises with what is added to all
        added = (low + high) / 2
        if np.clip(wanted + added, lowest, sizes).sum() < total:
            low = added
        else:
            high = added
    exact = np.clip(wanted + high, lowest, sizes)
    whole = np.round(exact)
    return rounded(np.where(np.abs(exact - whole) < 1e-9 * total, whole, exact), total)
