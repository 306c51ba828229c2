"""Second-split forgetting time (Maini et al. 2022, "Characterizing datapoints via second-split forgetting", Def. 2)."""

import numpy as np


def second_split_forgetting(right: np.ndarray) -> np.ndarray:
    """For how many of the last epochs the image was wrong without a break: [n], from 0 (never forgotten for good) to
    the number of epochs (wrong from the first one on, or never learned).

    right: uint8 [epochs, n], 1 right, 0 wrong, of images of the first half after each epoch on the second. The paper's
    time is the first epoch from which the image is wrong for good, and one more than there are epochs if there is none;
    this is that number of epochs plus one, minus the time: so that, as in all scores, high is doubted. Wrong labels are
    forgotten first; rare images, which are learned late too, are not forgotten.
    """
    return np.logical_and.accumulate(right[::-1] == 0, axis=0).sum(axis=0)
