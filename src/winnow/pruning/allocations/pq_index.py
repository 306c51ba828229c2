"""The PQ index (Diao et al. 2023, "Pruning deep neural networks from a sparsity perspective", def. 1 and theorem 2)."""

from typing import Annotated

import numpy as np
from annotated_types import Gt

from winnow.pruning.layers import Layers, share_out

AT_LEAST_ZERO = True  # takes no scores below zero


def pq_index(
    layers: Layers, total: int, *, p: Annotated[float, Gt(0)] = 0.5, q: Annotated[float, Gt(0)] = 1.0
) -> dict[str, int]:
    """Every layer keeps a count in proportion to ``bound`` of its scores: layers whose scores are concentrated on few
    weights become sparser.

    The paper's SAP also lets the index say how much is pruned; here the level says that. Use it with ``magnitude``.
    Raises ValueError unless p is below q, and for scores below zero.
    """
    if p >= q:
        raise ValueError(f"p: {p:g} must be below q, {q:g}")
    # the bound is at least 1, but for a layer of which nothing is left
    return share_out(layers, {name: max(1.0, bound(layer.scores, p, q)) for name, layer in layers.items()}, total)


def index(scores: np.ndarray, p: float, q: float) -> float:
    """1 - d^(1/q - 1/p) |w|_p / |w|_q of d scores: 0 if all are equal (zero, too), near 1 if one is above all others.

    Raises ValueError for scores below zero.
    """
    if (scores < 0).any():
        raise ValueError("allocation: pq_index takes scores of at least zero, which this criterion does not give")
    if len(scores) == 0 or scores.max() == 0:
        return 0.0
    unit = scores.astype(np.float64) / scores.max()
    return float(1 - np.mean(unit**p) ** (1 / p) / np.mean(unit**q) ** (1 / q))


def bound(scores: np.ndarray, p: float, q: float) -> float:
    """The least number of weights to keep, d (1 - index)^(p q / (q - p)); the paper's eta, a slack, is 0."""
    return float(len(scores) * (1 - index(scores, p, q)) ** (p * q / (q - p)))
