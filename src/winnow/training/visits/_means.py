"""Moving means of the losses, which bandit methods choose by."""

from typing import Annotated

import numpy as np
from annotated_types import Gt, Le

from winnow.training.plan import State

Smoothing = Annotated[float, Gt(0), Le(1)]


def unknown(images: int) -> State:
    """No image was visited: mean is infinite, so that such images come first."""
    return {"mean": np.full(images, np.inf, np.float32), "variance": np.zeros(images, np.float32)}


def averaged(state: State, rows: np.ndarray, losses: np.ndarray, smoothing: float) -> State:
    """Of the visited rows, the moving variance v <- (1 - a) v + a (u - mean)^2, then the moving mean <- (1 - a) mean +
    a u, of the loss u. The first visit sets the mean to its loss, and the variance to 0."""
    mean, variance = state["mean"].copy(), state["variance"].copy()
    old = np.where(np.isinf(mean[rows]), losses, mean[rows])
    variance[rows] = (1 - smoothing) * variance[rows] + smoothing * (losses - old) ** 2
    mean[rows] = old + smoothing * (losses - old)
    return {**state, "mean": mean, "variance": variance}


def highest(rng: np.random.Generator, values: np.ndarray, size: int) -> np.ndarray:
    """The rows of the ``size`` highest values [n]; of equal ones at random. Values that are no numbers come last."""
    order = rng.permutation(len(values))
    return order[np.argsort(-values[order], kind="stable")[:size]]
