"""How much can be pruned at once before the loss rises, as predicted by the curvature at the solution."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from winnow.landscape.spectrum import integrate


@dataclass(frozen=True)
class Spectrum:
    """The eigenvalues of a Hessian: the largest exactly, the others by quadrature.

    size: how many eigenvalues there are, one for each live weight. top: the largest, [k]. nodes and weights: [probes,
    steps], by spectrum.quadrature ``without`` the eigenvectors of the top.
    """

    size: int
    top: np.ndarray
    nodes: np.ndarray
    weights: np.ndarray

    def sum(self, f: Callable[[np.ndarray], np.ndarray]) -> float:
        """The sum of f over all eigenvalues; f takes and returns arrays of any shape."""
        return float(f(self.top).sum()) + (self.size - len(self.top)) * integrate(self.nodes, self.weights, f)


def angular_dimension(distance: float, epsilon: float, spectrum: Spectrum, flat: bool = True) -> float:
    """The local angular dimension, seen from a distance R (L2, in weights), of the set where the loss is at most
    epsilon (nats) above the loss at its centre: the sum over i of r_i^2 / (R^2 + r_i^2), with r_i^2 = 2 epsilon /
    lambda_i.

    Larsen, Fort, Becker, Ganguli 2022, sec. 3: a random affine subspace at distance R from the centre is expected to
    meet an ellipsoid of radii r_i if its codimension is smaller than this dimension. The centre is assumed to be a
    minimum.

    flat: if true, the term of an eigenvalue of 0 or less is 1: the quadratic model never rises to epsilon along it, so
    the radius is infinite. If false, an eigenvalue counts by its absolute value. Most eigenvalues lie near 0, where
    quadrature tells their size but hardly their sign, so only what both choices agree on is known.
    """

    def term(values: np.ndarray) -> np.ndarray:
        curvature = np.maximum(values, 0) if flat else np.abs(values)
        return 2 * epsilon / (curvature * distance**2 + 2 * epsilon)

    return spectrum.sum(term)


def largest_cut(magnitudes: np.ndarray, epsilon: float, spectrum: Spectrum, flat: bool = True) -> float:
    """The largest fraction of the live prunable weights that magnitude pruning can prune at once, if a random subspace
    of the same dimension and distance is still to meet the set of ``angular_dimension`` (which explains ``flat``) for
    this epsilon (nats, above 0).

    magnitudes: [n] of the live prunable weights, in any order. spectrum: over all live weights. Pruning the k smallest
    gives a subspace of codimension k at the distance R(k) = sqrt(sum of their squares). The result is the largest k
    with k <= angular dimension at R(k). The left side rises with k and the right side falls, so bisection finds it.
    Paul et al. 2023 say that the eigenvalues limit the fraction; this is one way to make that a number.
    """
    distances = np.sqrt(np.cumsum(np.sort(np.abs(magnitudes).astype(np.float64)) ** 2))
    low, high = 0, len(distances)
    while low < high:
        middle = (low + high + 1) // 2
        if middle <= angular_dimension(distances[middle - 1], epsilon, spectrum, flat):
            low = middle
        else:
            high = middle - 1
    return low / len(distances)
