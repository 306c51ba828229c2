"""DUAL, difficulty and uncertainty (Cho et al. 2025, "Lightweight dataset pruning without full training via example
difficulty and prediction uncertainty", sec. 3)."""

import numpy as np

from winnow.scores.windows import mean_over_windows


def dual(losses: np.ndarray) -> np.ndarray:
    """The deviation of the probability p_y of the label over the visits in a window of epochs, times 1 minus its mean
    there; the mean over all windows so far. The windows are those of ``dyn_unc``.

    The paper computes it after 30 of 200 epochs: images both hard and uncertain stand out early. For small subsets it
    then draws around easier images in place of taking the highest; that is a policy, and not part of this score.

    losses: -log p_y, float [epochs, n], at the visit of each epoch; NaN where the image was not visited, which is
    passed over. Returns float32 [epochs, n], the value after each epoch; 0 up to the second visit.
    """
    return mean_over_windows(losses, lambda deviation, mean: deviation * (1 - mean))
