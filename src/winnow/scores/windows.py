"""Windows of epochs, over which some scores follow a training."""

from collections.abc import Callable

import numpy as np

LONGEST = 10  # epochs: J of Dyn-Unc, of DUAL and of TDDS


def window(epochs: int, shortest: int = 2) -> int:
    """How many epochs a window has after so many: half of them, from ``shortest`` to LONGEST."""
    return min(LONGEST, max(shortest, epochs // 2))


def mean_over_windows(
    losses: np.ndarray,
    score: Callable[[np.ndarray, np.ndarray], np.ndarray],
    size_after: Callable[[int], int] = window,
) -> np.ndarray:
    """The mean over all windows so far of a score of the probabilities exp(-loss) in a window: float32 [epochs, n], the
    value after each epoch; 0 up to the second visit.

    losses: float [epochs, n], NaN where the image was not visited. score: from the standard deviation (divisor: visits
    less 1) and the mean of the visits in a window, float64 [n] each. size_after: the epochs in a window, after so many
    epochs. A window in which the image was visited once or never does not count.
    """
    given = np.exp(-losses.astype(np.float64))
    epochs, images = losses.shape
    found = np.zeros((epochs, images), np.float32)
    total, count, size, done = np.zeros(images), np.zeros(images), 0, 0
    for after in range(1, epochs + 1):
        if size_after(after) != size:
            size, done = size_after(after), 0
            total, count = np.zeros(images), np.zeros(images)
        for end in range(max(done + 1, size), after + 1):
            deviation, mean, counts = _moments(given[end - size : end])
            total[counts] += score(deviation, mean)[counts]
            count += counts
        done = after
        found[after - 1] = total / np.maximum(count, 1)
    return found


def _moments(given: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Standard deviation and mean of each column [n] of [epochs, n] without its NaN, and whether it has at least two
    values."""
    visited = ~np.isnan(given)
    visits = visited.sum(axis=0)
    mean = np.where(visited, given, 0).sum(axis=0) / np.maximum(visits, 1)
    squares = np.square(np.where(visited, given - mean, 0)).sum(axis=0)
    return np.sqrt(squares / np.maximum(visits - 1, 1)), mean, visits >= 2
