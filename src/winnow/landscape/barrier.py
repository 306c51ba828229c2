"""The barrier on a line between two networks, from the errors along it."""

import numpy as np
from numpy.typing import ArrayLike


def barrier(alphas: ArrayLike, values: ArrayLike) -> tuple[float, float]:
    """The largest excess of the values [n] over the straight line from the first to the last value, and its alpha; 0
    and nan if no value is above that line by more than rounding. alphas: [n], increasing.

    The error barrier of Paul et al. 2023, sec. 2. Frankle et al. 2020, sec. 2, take the excess over the mean of the two
    ends, which is the same if the ends are equal.
    """
    alphas, values = np.asarray(alphas, float), np.asarray(values, float)
    excess = values - np.interp(alphas, alphas[[0, -1]], values[[0, -1]])
    place = int(excess.argmax())
    if excess[place] <= 1e-12 * np.abs(values).max():
        return 0.0, float("nan")
    return float(excess[place]), float(alphas[place])
