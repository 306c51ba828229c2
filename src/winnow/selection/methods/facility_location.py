"""Facility location (Iyer et al. 2021, "Submodular combinatorial information measures with applications in machine
learning"), with the similarity that DeepCore's code takes."""

from typing import Annotated

import numpy as np
from annotated_types import Gt, Lt

from winnow.counts import parts
from winnow.selection.evidence import Chosen, Evidence
from winnow.selection.facilities import facility_location as choose_facilities
from winnow.selection.vectors import Of, Vectors, vectors

NEEDS_FEATURES = True


def facility_location(
    evidence: Evidence,
    size: int,
    rng: np.random.Generator,
    *,
    epoch: int,
    of: Of = "features",
    per_class: bool = True,
    epsilon: Annotated[float, Gt(0), Lt(1)] = 0.01,
) -> Chosen:
    """Add images one by one so that every image has a kept one that is similar to it: greedy maximisation of the sum,
    over all images, of the similarity to the most similar kept one. Similarity is (1 + cosine)/2.

    epoch, of: of the features of a network after an epoch, or of its last layer's gradients. per_class: separately in
    every class, and keep the same fraction of each; False takes all classes as one. The choice is exact greedy, which
    reaches 1 - 1/e of the best sum, for classes of up to 16,384 images: time and memory grow with the square of the
    class. epsilon: for larger ones each step draws a sample, and the expected sum is at least 1 - 1/e - epsilon of the
    best. Of equal gains the earlier row wins.
    """
    every = vectors(evidence, epoch, of)
    groups = parts(size, evidence.labels, evidence.classes, per_class)
    return Chosen(np.concatenate([rows[_order(every[rows].unit(), count, epsilon, rng)] for rows, count in groups]))


def _order(unit: Vectors, count: int, epsilon: float, rng: np.random.Generator) -> np.ndarray:
    def similarities(rows: np.ndarray) -> np.ndarray:
        return (1 + unit[rows].products(unit)) / 2

    return choose_facilities(similarities, len(unit), count, 1, 0, epsilon, rng).order
