"""What several networks together say of images, for students to learn from."""

from collections.abc import Iterable

import numpy as np


def mean_outputs(outputs: Iterable[np.ndarray]) -> np.ndarray:
    """The logarithm of the mean probabilities of several networks, float32 [n, classes], from the log softmax of each,
    float [n, classes].

    Only one network's outputs are in memory at a time, and the mean in double precision.
    """
    total, count = np.zeros((), np.float64), 0
    for one in outputs:
        total, count = total + np.exp(one, dtype=np.float64), count + 1
    with np.errstate(divide="ignore"):  # a class that no network gives a probability: -inf
        return np.asarray(np.log(total / count), np.float32)
