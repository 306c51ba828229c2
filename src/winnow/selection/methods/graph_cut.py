"""Graph cut (Iyer et al. 2021, "Submodular combinatorial information measures with applications in machine learning"),
with the similarity and the gain that DeepCore's code takes."""

from typing import Annotated

import numpy as np
from annotated_types import Ge

from winnow.counts import parts
from winnow.selection.evidence import Chosen, Evidence
from winnow.selection.vectors import Of, Vectors, vectors

NEEDS_FEATURES = True


def graph_cut(
    evidence: Evidence,
    size: int,
    rng: np.random.Generator,
    *,
    epoch: int,
    of: Of = "features",
    per_class: bool = True,
    weight: Annotated[float, Ge(0)] = 1.0,
) -> Chosen:
    """Add images one by one that are similar to all images and unlike the kept ones. The gain is ``weight`` times the
    sum of the similarities to all images, less twice the sum of those to the kept ones. Similarity is (1 + cosine)/2.

    epoch, of: of the features of a network after an epoch, or of its last layer's gradients. per_class: separately in
    every class, and keep the same fraction of each; False takes all classes as one. weight: lambda in DeepCore; more
    than 2 never gives a negative gain. Of equal gains the earlier row wins. Nothing is random. Needs a few vectors [n],
    and size times n (of a class) times d operations.
    """
    every = vectors(evidence, epoch, of)
    groups = parts(size, evidence.labels, evidence.classes, per_class)
    return Chosen(np.concatenate([rows[cut(every[rows].unit(), count, weight)] for rows, count in groups]))


def cut(unit: Vectors, count: int, weight: float) -> np.ndarray:
    """The first ``count`` vectors in the order of the greedy choice: int64 [count]."""
    gains = weight * (len(unit) + unit.sum_of_products()) / 2
    order = np.empty(count, np.int64)
    for step in range(count):
        order[step] = gains.argmax()
        gains -= 1 + unit.products(unit[order[step : step + 1]])[:, 0]
        gains[order[step]] = -np.inf
    return order
