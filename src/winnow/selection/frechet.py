"""How unlike two sets of images are: the Frechet distance of their features, as normal distributions."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Moments:
    """Of count rows: their mean, float64 [d], and the sum of squares and products around it, float64 [d, d]."""

    count: int
    mean: np.ndarray
    squares: np.ndarray

    @property
    def covariance(self) -> np.ndarray:
        """float64 [d, d], with the divisor count - 1; of one row it is zero."""
        return self.squares / max(self.count - 1, 1)


def moments(rows: np.ndarray) -> Moments:
    """Of rows, float [n, d]."""
    mean = rows.mean(axis=0, dtype=np.float64)
    around = rows - mean
    return Moments(len(rows), mean, around.T @ around)


def together(a: Moments, b: Moments) -> Moments:
    """Of the rows of both (Chan, Golub and LeVeque 1979)."""
    count, apart = a.count + b.count, b.mean - a.mean
    mean = a.mean + apart * (b.count / count)
    return Moments(count, mean, a.squares + b.squares + np.outer(apart, apart) * (a.count * b.count / count))


def frechet_distance(a: Moments, b: Moments) -> float:
    """|m - m'|^2 + tr(S + S' - 2 (S S')^(1/2)), in squared units of the features (Dowson and Landau 1982).

    The trace of the root is the sum of the roots of the eigenvalues of S^(1/2) S' S^(1/2), which also holds where a
    covariance is singular.
    """
    values, vectors = np.linalg.eigh(a.covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ b.covariance @ root), 0)).sum()
    apart = ((a.mean - b.mean) ** 2).sum()
    return max(float(apart + np.trace(a.covariance) + np.trace(b.covariance) - 2 * shared), 0.0)


def principal(a: np.ndarray, b: np.ndarray, dimensions: int) -> tuple[np.ndarray, np.ndarray]:
    """Both sets of rows, float64 [n, k] and [m, k], along the k principal components of all rows together; as they are
    if they have no more columns than ``dimensions``."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    if a.shape[1] <= dimensions:
        return a, b
    whole = together(moments(a), moments(b))
    _, vectors = np.linalg.eigh(whole.covariance)
    axes = vectors[:, : -dimensions - 1 : -1]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(dimensions)])  # else their sign is arbitrary
    return (a - whole.mean) @ axes, (b - whole.mean) @ axes
