"""Learning time, the epoch from which an image is right for good (Maini et al. 2022, "Characterizing datapoints via
second-split forgetting", sec. 3, there for the first split)."""

import numpy as np


def learning_time(correct: np.ndarray) -> np.ndarray:
    """The first epoch, from 1, from which on every visit so far was right; one more than the epochs so far if there is
    none, because the last visit was wrong.

    correct: uint8 [epochs, n], 1 right, 0 wrong; other values mean not visited, and are taken to be as the visit
    before, or wrong before the first one. Returns float32 [epochs, n], the value after each epoch.
    """
    since = np.full(correct.shape[1], np.inf)
    times = np.empty(correct.shape, np.float32)
    for epoch, now in enumerate(correct, start=1):
        since[now == 0] = np.inf
        since[(now == 1) & np.isinf(since)] = epoch
        times[epoch - 1] = np.where(np.isinf(since), epoch + 1, since)
    return times
