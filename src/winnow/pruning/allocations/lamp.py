"""LAMP (Lee et al. 2021, "Layer-adaptive sparsity for the magnitude-based pruning", eq. 3)."""

from dataclasses import replace

import numpy as np

from winnow.pruning.allocations.global_ import global_
from winnow.pruning.layers import Layers

AT_LEAST_ZERO = True  # takes no scores below zero
OF_CHANNELS = True  # it counts channels as well as weights


def lamp(layers: Layers, total: int) -> dict[str, int]:
    """One ranking, by the square of a score divided by the sum of all squares in its layer that are not lower.

    The order within a layer does not change. The highest weight of a layer gets 1, so no layer is emptied while another
    has more than one weight. Raises ValueError for scores below zero: squaring them would change the order.
    """
    return global_({name: replace(layer, scores=rescaled(layer.scores)) for name, layer in layers.items()}, total)


def rescaled(scores: np.ndarray) -> np.ndarray:
    """The rescaled scores, float64 [n], of scores [n]. Among equal scores, the later count as higher. Sums run from the
    highest down."""
    if (scores < 0).any():
        raise ValueError("allocation: lamp takes scores of at least zero, which this criterion does not give")
    order = np.argsort(scores, kind="stable")[::-1]
    squares = scores[order].astype(np.float64) ** 2
    sums = np.cumsum(squares)
    found = np.empty(len(scores))
    found[order] = np.divide(squares, sums, out=np.zeros(len(scores)), where=sums > 0)
    return found
