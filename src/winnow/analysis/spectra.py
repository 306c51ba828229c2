"""Spectral densities of the Hessian, smoothed from quadratures."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from winnow.analysis.spread import spread

CORE = 1e-4  # of the largest eigenvalue, up to which bells are equally wide, and from which they widen with it
POINTS = 600  # of a density made from a quadrature
WIDTH = 0.12  # of the bells it is made of, in the units of asinh(x / c), where a factor of e far from zero is 1


def densities(spectra: Mapping[tuple[str, int], tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
    """The density of eigenvalues by (level, seed), from nodes and weights [probes, steps] of a quadrature each.

    Columns: level, seed, x, density (per unit of eigenvalue), on a grid common to all. Every node becomes a bell of a
    fixed width on the axis asinh(x / c), which is linear below c, 1e-4 of the largest node, and logarithmic above: so
    that small and large eigenvalues are smoothed alike. Empty without spectra.
    """
    if not spectra:
        return pd.DataFrame(columns=["level", "seed", "x", "density"])
    every = np.concatenate([nodes.ravel() for nodes, _ in spectra.values()])
    c = np.abs(every).max() * CORE
    t = np.linspace(np.arcsinh(every.min() / c) - 4 * WIDTH, np.arcsinh(every.max() / c) + 4 * WIDTH, POINTS)
    x = c * np.sinh(t)
    tables = []
    for (level, seed), (nodes, weights) in spectra.items():
        z = (t[:, None] - np.arcsinh(nodes.reshape(1, -1) / c)) / WIDTH
        bells = np.exp(-(z**2) / 2) / (WIDTH * np.sqrt(2 * np.pi))
        density = bells @ weights.reshape(-1) / len(nodes) / np.hypot(x, c)  # the last: dt / dx
        tables.append(pd.DataFrame({"level": level, "seed": seed, "x": x, "density": density}))
    return pd.concat(tables, ignore_index=True)


def mean_densities(spectra: Mapping[tuple[str, int], tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
    """The ``densities`` of every level over its seeds: level, x, mean, low, high, count."""
    return spread(densities(spectra), ["level", "x"], "density")


def whole(largest: np.ndarray, size: int, nodes: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of all ``size`` eigenvalues: joins the largest ones [k] to nodes and weights of the others."""
    probes, k = len(nodes), len(largest)
    alone = np.full((probes, k), 1 / size)
    return (
        np.concatenate([nodes, np.broadcast_to(largest, (probes, k))], axis=1),
        np.concatenate([weights * (1 - k / size), alone], axis=1),
    )
