"""Variability, the second axis of data maps (Swayamdipta et al. 2020, "Dataset cartography", sec. 2)."""

import numpy as np


def variability(losses: np.ndarray) -> np.ndarray:
    """The standard deviation over the visits so far (divisor: their number) of the probability p_y of the label.

    High values are the ambiguous images, which the paper keeps. losses: -log p_y, float [epochs, n], at the visit of
    each epoch; NaN where the image was not visited, which is passed over. Returns float32 [epochs, n], the value after
    each epoch; 0 up to the first visit.
    """
    count, mean, squares = np.zeros((3, losses.shape[1]))  # Welford's sums, which keep their digits
    found = np.empty(losses.shape, np.float32)
    for epoch, now in enumerate(losses):
        visited = ~np.isnan(now)
        given = np.where(visited, np.exp(-now.astype(np.float64)), mean)
        count += visited
        step = given - mean
        mean += step / np.maximum(count, 1)
        squares += step * (given - mean)
        found[epoch] = np.sqrt(squares / np.maximum(count, 1))
    return found
