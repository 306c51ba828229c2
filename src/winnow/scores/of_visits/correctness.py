"""Correctness, the third measure of data maps (Swayamdipta et al. 2020, "Dataset cartography", sec. 2)."""

import numpy as np


def correctness(correct: np.ndarray) -> np.ndarray:
    """Minus the share of the visits so far at which the image was classified right: the higher, the harder the image.

    The paper counts, and does not change the sign. correct: uint8 [epochs, n], 1 right, 0 wrong; other values mean not
    visited, and are passed over. Returns float32 [epochs, n], from -1 to 0, the value after each epoch; 0 as long as
    the image was not visited.
    """
    visits = np.cumsum(correct <= 1, axis=0)
    return (-np.cumsum(correct == 1, axis=0) / np.maximum(visits, 1)).astype(np.float32)
