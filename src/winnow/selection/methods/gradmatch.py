"""GradMatch (Killamsetty et al. 2021, "GRAD-MATCH: gradient matching based data subset selection for efficient deep
model training", Alg. 2), class by class, on the network's last layer.

The paper chooses anew every few epochs; this is one choice. Here the ridge is in units of the gradients' mean squared
norm and holds from the first image on; in the authors' code it is a plain number, and the first image has none.
"""

from typing import Annotated

import numpy as np
from annotated_types import Gt
from scipy.linalg import solve_triangular
from scipy.optimize import nnls

from winnow.counts import parts
from winnow.selection.evidence import Chosen, Evidence
from winnow.selection.vectors import Vectors, vectors

NEEDS_FEATURES = True
MOST = 1 << 27  # products of the chosen images with all of a class, in memory at once: 1 GiB


def gradmatch(
    evidence: Evidence,
    size: int,
    rng: np.random.Generator,
    *,
    epoch: int,
    ridge: Annotated[float, Gt(0)] = 0.01,
) -> Chosen:
    """Take images whose weighted gradients add up to the mean gradient of their class, and weigh them so.

    Gradients are of the last layer after an epoch. Orthogonal matching pursuit: add the image whose gradient points
    most to what is not matched yet, and fit the weights of all anew, until the class has the fraction of all classes.
    At the end the weights are fitted once more, none below 0. ridge: the fit also keeps the squares of the weights
    small, times this and the mean squared norm of the gradients.

    Images whose weight is 0 leave, and where the pursuit finds nothing left to match it ends early. A printed line says
    for how many images that is so. Others of the class, drawn at random, are in their place, with a weight of 1. Of
    every class the weights have the mean 1. Of equal products the earlier row wins.

    Needs, for m of the n images of a class, n x m numbers in memory and n x m^2 operations. Raises ValueError if that
    is more than a GiB.
    """
    every = vectors(evidence, epoch, "gradients")
    rows, weights, drawn = [], [], 0
    for own, count in parts(size, evidence.labels, evidence.classes, per_class=True):
        found, fitted = match(every[own], count, ridge)
        others = rng.permutation(np.delete(np.arange(len(own)), found))[: count - len(found)]
        rows += [own[found], own[others]]
        weights += [fitted / fitted.mean() if len(fitted) else fitted, np.ones(len(others))]
        drawn += len(others)
    if drawn:
        print(f"gradmatch: matches with {size - drawn} of {size} images; the others are drawn at random")
    return Chosen(np.concatenate(rows), np.concatenate(weights).astype(np.float32))


def match(every: Vectors, count: int, ridge: float) -> tuple[np.ndarray, np.ndarray]:
    """At most ``count`` of n vectors whose weighted sum is near their mean: int64 [m], in the order of choice, and
    their weights, float64 [m], above 0."""
    if count * len(every) > MOST:
        most = MOST // len(every)
        raise ValueError(f"gradmatch matches at most {most} of the {len(every)} images of a class, not {count}")
    target = every.sum_of_products() / len(every)
    squares = every.norms() ** 2
    penalty = ridge * squares.mean()
    products, factor = np.empty((count, len(every))), np.zeros((count, count))  # factor: Cholesky's, lower
    chosen: list[int] = []
    left, none_left = target.copy(), 1e-9 * max(np.abs(target).max(), np.finfo(float).tiny)
    weights = np.zeros(0)
    while len(chosen) < count:
        m = len(chosen)
        left[chosen] = -np.inf
        best = int(left.argmax())
        if left[best] <= none_left:
            break
        products[m] = every.products(every[np.array([best])])[:, 0]
        across = _solve(factor[:m, :m], products[m, chosen])
        factor[m, :m], factor[m, m] = across, np.sqrt(squares[best] + penalty - across @ across)
        chosen.append(best)
        known = factor[: m + 1, : m + 1]
        weights = _solve(known, _solve(known, target[chosen]), transposed=True)
        left = target - weights @ products[: m + 1]
    rows = np.array(chosen, np.int64)
    if (weights < 0).any():
        known = factor[: len(rows), : len(rows)]
        weights = nnls(known.T, _solve(known, target[rows]))[0]  # the products themselves would square the condition
    return rows[weights > 0], weights[weights > 0]


def _solve(lower: np.ndarray, right: np.ndarray, transposed: bool = False) -> np.ndarray:
    return np.asarray(solve_triangular(lower, right, trans=int(transposed), lower=True, check_finite=False))
