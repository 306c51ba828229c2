"""The accumulated margin, AUM with margins of probabilities: what the authors of CCS (Zheng et al. 2023,
"Coverage-centric coreset selection for high pruning rates") and of D2 pruning run for AUM."""

import numpy as np


def accumulated_margin(given: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Minus the mean over the visits so far of p_y - max over k != y of p_k: the higher, the more the label is doubted.

    The authors add up, over equally many visits of every image; the ranking is the same. Unlike ``aum`` it is bounded,
    from -1 to 1. given, other: p_y and the largest other probability, float [epochs, n]; NaN where the image was not
    visited, which is passed over. Returns float32 [epochs, n], the value after each epoch; 0 as long as the image was
    not visited.
    """
    margins = given - other
    visits = np.cumsum(~np.isnan(margins), axis=0)
    return (-np.nancumsum(margins, axis=0) / np.maximum(visits, 1)).astype(np.float32)
