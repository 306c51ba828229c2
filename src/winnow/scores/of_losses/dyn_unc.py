"""Dyn-Unc, the uncertainty of predictions over training (He et al. 2024, "Large-scale dataset pruning with dynamic
uncertainty", sec. 3)."""

import numpy as np

from winnow.scores.windows import mean_over_windows


def dyn_unc(losses: np.ndarray) -> np.ndarray:
    """How much the probability p_y of the label moves: its standard deviation (divisor J - 1) over the visits in a
    window of J epochs, the mean over all windows so far.

    J is 10, as in the paper, from epoch 20 on. Before, it is half of the epochs so far, rounded down, but at least 2,
    so that there are several windows to take the mean over. This differs from the authors' code in two more ways: it
    leaves out the window that ends at the last epoch, and its images are not augmented.

    losses: -log p_y, float [epochs, n], at the visit of each epoch; NaN where the image was not visited, which is
    passed over. Returns float32 [epochs, n], the value after each epoch; 0 up to the second visit.
    """
    return mean_over_windows(losses, lambda deviation, mean: deviation)
