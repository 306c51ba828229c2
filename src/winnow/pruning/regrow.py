"""Weights that are dropped during training, and as many that take their places in the same layer."""

import math
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from winnow.pruning.layers import lowest
from winnow.pruning.prune import numbers
from winnow.training.loop import Run, change_mask


def cosine(first: float, last: float, part: float) -> float:
    """Falls from ``first`` to ``last`` as ``part`` rises from 0 to 1, along half a cosine."""
    return last + (first - last) / 2 * (1 + math.cos(math.pi * part))


def regrown(kept: np.ndarray, dropped: np.ndarray, growth: np.ndarray) -> np.ndarray:
    """A layer's mask, bool [n], after ``dropped`` of the weights that it kept, bool [n] each, made room for as many.

    The places of the highest growth, float [n], are taken, of all that are free after the drop. So a weight that was
    just dropped may return. Among equal places the later ones are taken.
    """
    left = kept & ~dropped
    free = np.flatnonzero(~left)
    left[free[~lowest(growth[free], len(free) - int(dropped.sum()))]] = True
    return left


def smallest(kept: np.ndarray, weights: np.ndarray, count: int) -> np.ndarray:
    """Which are the ``count`` smallest of the kept weights by size, bool [n]; among equal ones the first."""
    places = np.flatnonzero(kept)
    dropped = np.zeros(len(kept), bool)
    dropped[places[lowest(np.abs(weights[places]), count)]] = True
    return dropped


def regrow_by_gradient(run: Run, count: Callable[[int], int]) -> None:
    """In every layer, drop the smallest weights, and grow as many where the gradient is largest by size.

    count: from how many weights a layer has to how many it drops. The gradient is of the step that was just taken. It
    covers all places, those that were held at zero too. A dropped weight that returns keeps its value and its momentum;
    another that grows begins at zero, without momentum.

    Raises ValueError if a weight or a gradient is NaN.
    """

    def changed(name: str, kept: np.ndarray, weights: np.ndarray) -> np.ndarray:
        gradient = run.network.get_parameter(name).grad
        assert gradient is not None
        return regrown(kept, smallest(kept, weights, count(int(kept.sum()))), np.abs(numbers(name, gradient)))

    change_layers(run, changed)


def change_layers(run: Run, changed: Callable[[str, np.ndarray, np.ndarray], np.ndarray]) -> None:
    """Give a run the mask that ``changed`` makes of each layer's name, mask and weights, all flat in row-major
    order."""
    mask: Mapping[str, Tensor] = {
        name: torch.from_numpy(
            changed(name, kept.cpu().numpy().ravel(), numbers(name, run.network.get_parameter(name)))
        ).reshape(kept.shape)
        for name, kept in run.mask.items()
    }
    change_mask(run, mask)
