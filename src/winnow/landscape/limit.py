"""How much can be cut at once before the loss rises, as the curvature at the solution predicts it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from winnow.landscape.spectrum import integrate


@dataclass(frozen=True)
class Spectrum:
    """The eigenvalues of a Hessian: the largest exactly, the others by quadrature.

    size: of them, as many as live weights; top: [k]; nodes and weights: [probes, steps], of spectrum.quadrature
    ``without`` the eigenvectors of the top.
    """

    size: int
    top: np.ndarray
    nodes: np.ndarray
    weights: np.ndarray

    def sum(self, f: Callable[[np.ndarray], np.ndarray]) -> float:
        """The sum of f over all eigenvalues; f takes and returns arrays of any shape."""
        return float(f(self.top).sum()) + (self.size - len(self.top)) * integrate(self.nodes, self.weights, f)


def angular_dimension(distance: float, epsilon: float, spectrum: Spectrum, flat: bool = True) -> float:
    """The local angular dimension, seen from a distance R (L2, of weights), of the set in which the loss is at most
    epsilon (nats) above that at its centre: the sum over i of r_i^2 / (R^2 + r_i^2), with r_i^2 = 2 epsilon / lambda_i.

    Larsen, Fort, Becker, Ganguli 2022, sec. 3: a random affine subspace at that distance from the centre is expected to
    meet an ellipsoid of radii r_i if its codimension is smaller than this. The centre is taken for a minimum.

    flat: along an eigenvalue of 0 or less the quadratic model never rises to epsilon, the radius is infinite, and the
    term is 1. Without it an eigenvalue counts by its size. Most eigenvalues lie near 0, where quadrature tells their
    size but hardly their sign, so that what both ways have in common is what is known.
    """

    def term(values: np.ndarray) -> np.ndarray:
        curvature = np.maximum(values, 0) if flat else np.abs(values)
        return 2 * epsilon / (curvature * distance**2 + 2 * epsilon)

    return spectrum.sum(term)


def largest_cut(magnitudes: np.ndarray, epsilon: float, spectrum: Spectrum, flat: bool = True) -> float:
    """The largest fraction of the live prunable weights that magnitude pruning can cut at once so that a random
    subspace as large and as far would still meet the set of ``angular_dimension`` (whose ``flat`` it takes), epsilon
    (nats, above 0) high.

    magnitudes: [n] of the live prunable weights, in any order. Cutting the k smallest makes a subspace of codimension k
    at the distance R(k) = sqrt(sum of their squares); the largest k is sought with k <= angular dimension at R(k). One
    side rises with k and the other falls, so k is found by bisection. The spectrum is that over all live weights. Paul
    et al. 2023 say that the eigenvalues limit the fraction; this is a way to make that a number.
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
