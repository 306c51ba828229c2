"""Confidence, the first axis of data maps (Swayamdipta et al. 2020, "Dataset cartography", sec. 2)."""

import numpy as np


def confidence(losses: np.ndarray) -> np.ndarray:
    """Minus the mean over the visits so far of the probability p_y of the label: the higher, the harder the image.

    losses: -log p_y, float [epochs, n], at the visit of each epoch; NaN where the image was not visited, which is
    passed over. Returns float32 [epochs, n], the value after each epoch; 0 as long as the image was not visited.
    """
    given = np.exp(-losses.astype(np.float64))
    visits = np.cumsum(~np.isnan(given), axis=0)
    return (-np.nancumsum(given, axis=0) / np.maximum(visits, 1)).astype(np.float32)
