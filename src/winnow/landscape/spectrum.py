"""The distribution of the eigenvalues of a matrix known only by its products: stochastic Lanczos quadrature."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from winnow.landscape.hessian import Product, random_signs

BREAKDOWN = 1e-10  # of the largest coefficient so far: a shorter rest of a vector is rounding


def quadrature(
    product: Product, size: int, steps: int, probes: int, seed: int = 0, without: Tensor | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights, float64 [probes, steps]. For a symmetric matrix H, the mean over the probes of sum_j w_j
    f(node_j) estimates trace f(H) / size. The expectation is exact for polynomials f up to degree 2 steps - 1.

    Ubaru, Chen, Saad 2017, algorithm 1; Ghorbani, Krishnan, Xiao 2019, sec. 2: each probe is a vector of random signs.
    Lanczos iteration with full reorthogonalisation makes a tridiagonal matrix from it. Its eigenvalues are the nodes;
    the squared first entries of its eigenvectors are the weights, which sum to 1. If the iteration ends early (its
    vectors span all that the probe reaches), the rest has weight 0. Takes steps * size * 8 bytes.

    without: orthonormal eigenvectors of H [k, size]. Their eigenvalues are left out: the estimate is then the mean of f
    over the other size - k eigenvalues.
    """
    nodes, weights = np.zeros((probes, steps)), np.zeros((probes, steps))
    for probe in range(probes):
        diagonal, beside = _lanczos(product, random_signs(size, seed, probe), steps, without)
        values, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))
        nodes[probe, : len(values)], weights[probe, : len(values)] = values, vectors[0] ** 2
    return nodes, weights


def _lanczos(product: Product, start: Tensor, steps: int, without: Tensor | None) -> tuple[np.ndarray, np.ndarray]:
    """Diagonal [m] and side diagonal [m - 1] of the matrix on the Krylov space of a start vector [size]; m is at most
    steps."""
    apart = start.new_zeros(0, len(start)) if without is None else without.to(start.device)
    vector = _orthogonal(start, apart)
    vector = vector / vector.norm()
    image = product(vector)
    vector, apart = vector.to(image.device), apart.to(image.device)
    steps = min(steps, len(start) - len(apart))
    basis = torch.cat([apart, vector.new_zeros(steps, len(start))])  # first those left out, then those of the space
    diagonal: list[float] = []
    beside: list[float] = []
    for step in range(len(apart), len(basis)):
        basis[step] = vector
        diagonal.append(float(vector @ image))
        rest = _orthogonal(image, basis[: step + 1])
        length = float(rest.norm())
        if step + 1 == len(basis) or length <= BREAKDOWN * max(np.abs(diagonal + beside)):
            break
        beside.append(length)
        vector = rest / length
        image = product(vector)
    return np.array(diagonal), np.array(beside)


def _orthogonal(vector: Tensor, basis: Tensor) -> Tensor:
    """A vector [n] minus its projection on orthonormal vectors [m, n].

    Projects twice, which is enough (Giraud, Langou, Rozloznik 2005). Once leaves rounding errors as large as what it
    took away.
    """
    for _ in range(2):
        vector = vector - basis.T @ (basis @ vector)
    return vector


def integrate(nodes: np.ndarray, weights: np.ndarray, f: Callable[[np.ndarray], np.ndarray]) -> float:
    """The mean of f over the eigenvalues, by a quadrature (nodes and weights [probes, steps]); f takes and returns
    arrays of any shape."""
    return float((weights * f(nodes)).sum(axis=1).mean())


def density(nodes: np.ndarray, weights: np.ndarray, grid: np.ndarray, width: float) -> np.ndarray:
    """The density of the eigenvalues at the points of a grid [m], smoothed by a Gaussian of standard deviation
    ``width``.

    nodes, weights: [probes, steps], by ``quadrature``. The density integrates to 1. Ghorbani et al. 2019, eq. 4 and 5.
    """
    z = (grid[:, None] - nodes.reshape(1, -1)) / width
    bells = np.exp(-(z**2) / 2) / (width * np.sqrt(2 * np.pi))
    return bells @ weights.reshape(-1) / len(nodes)
