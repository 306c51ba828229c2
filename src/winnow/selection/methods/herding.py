"""Herding (Welling 2009, "Herding dynamical weights to learn"), on features as in iCaRL (Rebuffi et al. 2017, Alg. 4).

DeepCore's code takes the argmax where these papers take the argmin.
"""

import numpy as np

from winnow.counts import parts
from winnow.selection.evidence import Chosen, Evidence
from winnow.selection.geometry import points, squared_norms

NEEDS_FEATURES = True


def herding(evidence: Evidence, size: int, rng: np.random.Generator, *, epoch: int, per_class: bool = True) -> Chosen:
    """Add images one by one, each the one that brings the mean of the kept images nearest to the mean of all.

    epoch: of the features. per_class: separately in every class, towards the mean of the class, and keep the same
    fraction of each; False takes all classes as one. Nothing is random. Of equal images it takes the earlier row. Needs
    a copy of the features, and size times n (of a class) times d operations.
    """
    features = points(evidence, epoch)
    groups = parts(size, evidence.labels, evidence.classes, per_class)
    return Chosen(np.concatenate([rows[herd(features[rows], count)] for rows, count in groups]))


def herd(features: np.ndarray, count: int) -> np.ndarray:
    """The first ``count`` rows of [n, d] in the order of herding, int64 [count].

    With rows x relative to the mean, and s the sum of those chosen, the next is the x of the smallest ``|s + x|``. A
    product in single precision finds all rows that may be it, and double precision decides between them. So the result
    does not depend on how a library orders the sums of a product.
    """
    mean = features.mean(axis=0, dtype=np.float64)
    rows = (features - mean).astype(np.float32)
    squares = squared_norms(rows).astype(np.float32)
    longest = float(np.sqrt(squares.max()))
    total, chosen = np.zeros(features.shape[1]), np.empty(count, np.int64)
    for i in range(count):
        rough = squares + 2 * (rows @ total.astype(np.float32))  # |s + x|^2 - |s|^2
        rounding = (features.shape[1] + 8) * 2.0**-24 * longest * (longest + 2 * float(np.linalg.norm(total)))
        near = np.flatnonzero(rough <= rough.min() + 2 * rounding)
        exact = total + (features[near] - mean)
        best = ((exact**2).sum(axis=1)).argmin()
        chosen[i], total = near[best], exact[best]
        squares[chosen[i]] = np.inf
    return chosen
