"""Moderate coreset (Xia et al. 2023, "Moderate coreset: a universal method of data selection for real-world
data-efficient deep learning").

As in the authors' code: the centre of a class is the median of every coordinate. The text of the paper is said to take
the mean, which nobody has verified here.
"""

import numpy as np

from winnow.counts import parts
from winnow.selection.evidence import Chosen, Evidence
from winnow.selection.geometry import points

NEEDS_FEATURES = True


def moderate(evidence: Evidence, size: int, rng: np.random.Generator, *, epoch: int, per_class: bool = False) -> Chosen:
    """Take the images whose distance to the centre of their class is nearest to the median distance, by rank.

    epoch: of the features. per_class: take the middle ranks of every class, and keep the same fraction of each; False
    ranks all distances together, so classes of an unusual spread lose images. Nothing is random. Of equal distances the
    earlier row ranks lower. Costs one sort. Subsets are nested but for the image that rounding shifts.
    """
    features, labels = points(evidence, epoch), evidence.labels
    distance = to_centers(features, labels)
    groups = parts(size, labels, evidence.classes, per_class)
    return Chosen(np.concatenate([rows[middle(distance[rows], count)] for rows, count in groups]))


def to_centers(features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The distance of every row of [n, d] to the coordinate-wise median of its class: float64 [n]."""
    distance = np.empty(len(labels))
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        distance[own] = np.linalg.norm(features[own] - np.median(features[own], axis=0).astype(np.float64), axis=1)
    return distance


def middle(values: np.ndarray, count: int) -> np.ndarray:
    """The positions of the ``count`` middle ranks of [n]."""
    start = round((len(values) - count) / 2)
    return np.argsort(values, kind="stable")[start : start + count]
