"""CRAIG (Mirzasoleiman et al. 2020, "Coresets for data-efficient training of machine learning models", Alg. 1)."""

from typing import Annotated

import numpy as np
from annotated_types import Gt, Lt

from winnow.counts import parts
from winnow.selection.evidence import Chosen, Evidence
from winnow.selection.facilities import Facilities, facility_location
from winnow.selection.vectors import Of, Vectors, vectors

NEEDS_FEATURES = True


def craig(
    evidence: Evidence,
    size: int,
    rng: np.random.Generator,
    *,
    epoch: int,
    of: Of = "gradients",
    epsilon: Annotated[float, Gt(0), Lt(1)] = 0.01,
) -> Chosen:
    """Take images whose gradients stand for those of all images of their class, and weigh each by how many it stands
    for: its weight is the number of images whose nearest kept one it is, over the mean of these numbers.

    Greedy choice that lowers the sum, over all images of a class, of the distance to the nearest kept one. It keeps the
    same fraction of every class. epoch, of: distances are between gradients of a network's last layer after an epoch,
    or between its features. The paper chooses anew every few epochs; this is one choice. The choice is exact greedy for
    classes of up to 16,384 images: time and memory grow with the square of the class. epsilon: for larger ones each
    step draws a sample, as in facility_location. Of equal gains the earlier row wins.
    """
    every = vectors(evidence, epoch, of)
    groups = parts(size, evidence.labels, evidence.classes, per_class=True)
    found = [(rows, medoids(every[rows], count, epsilon, rng)) for rows, count in groups]
    stands_for = np.concatenate([np.bincount(own.nearest) for _, own in found])
    weights = stands_for / stands_for.mean()
    return Chosen(np.concatenate([rows[own.order] for rows, own in found]), weights.astype(np.float32))


def medoids(every: Vectors, count: int, epsilon: float, rng: np.random.Generator) -> Facilities:
    """Facility location on how much smaller a distance is than twice the longest vector, which no distance exceeds. Any
    such number gives the same choice as the largest distance."""
    lengths = every.norms()

    def similarities(rows: np.ndarray) -> np.ndarray:
        squares = lengths[rows, None] ** 2 + lengths**2 - 2 * every[rows].products(every)
        return -np.sqrt(np.maximum(squares, 0))

    longest = 2 * float(lengths.max())
    return facility_location(similarities, len(every), count, longest, -longest, epsilon, rng)
