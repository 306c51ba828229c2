"""Holding out a fraction of the images, the same of every class."""

import numpy as np

from winnow.streams import numpy_stream


def hold_out(labels: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Which rows stay and which are held out: round(fraction * n) of the n images of every class, drawn uniformly.

    labels: int64 [n]. Gives two int64 arrays of row numbers, both rising, which together hold every row once. Each
    class draws from its own part of the stream "holdout" of the seed; a larger fraction holds out the same and more.
    """
    held = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        order = numpy_stream(seed, "holdout", int(label)).permutation(len(rows))
        held[rows[order[: round(fraction * len(rows))]]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)
