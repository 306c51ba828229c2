"""Forgetting events (Toneva et al. 2019, "An empirical study of example forgetting", Def. in sec. 3)."""

import numpy as np


def forgetting(correct: np.ndarray) -> np.ndarray:
    """How many times each image went from right to wrong between two visits.

    correct: uint8 [epochs, n], 1 right, 0 wrong; other values mean not visited, and are skipped. Returns float32
    [epochs, n], the count after each epoch; +inf until the image is right for the first time.
    """
    count = np.zeros(correct.shape[1], np.float32)
    last_right = np.zeros(correct.shape[1], bool)
    ever_right = np.zeros(correct.shape[1], bool)
    counts = np.empty(correct.shape, np.float32)
    for epoch, now in enumerate(correct):
        count += last_right & (now == 0)
        last_right = np.where(now <= 1, now == 1, last_right)
        ever_right |= now == 1
        counts[epoch] = np.where(ever_right, count, np.inf)
    return counts
