"""What having trained on an image changes, from networks that each trained on a part of the images."""

import numpy as np


def contributions(how_well: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """What each network contributes to the mean over those that trained on the image less the mean over the others
    (Feldman and Zhang 2020, "What neural networks memorize and why", eq. 1): float64 [seeds, n], whose mean over the
    seeds is that difference.

    how_well: how well each network does on each image, such as 1 if it is right and 0 if not, [seeds, n]. seen: whether
    it trained on the image, bool [seeds, n].

    If a of the S networks trained on an image, it is S (x - m) / a for these, and -S (x - m) / (S - a) for the others,
    where x is how well the network does, and m the mean of x over all S. The m adds nothing to the sum. Without it, an
    image that all networks know would have contributions far from 0, and means over some of the seeds would differ by
    how many of these trained on it.

    Raises ValueError that tells of the images on which no network, or every network, trained: they have no such
    difference.
    """
    seeds, trained = len(seen), seen.sum(axis=0)
    without = np.flatnonzero((trained == 0) | (trained == seeds))
    if len(without):
        raise ValueError(
            f"{len(without)} images, the first in row {without[0]}, were trained on by none or by all of {seeds} "
            "networks, so that the two cannot be compared; give more seeds, or folds in place of a share"
        )
    centred = how_well - how_well.mean(axis=0, dtype=np.float64)
    return seeds * centred * np.where(seen, 1 / trained, -1 / (seeds - trained))
