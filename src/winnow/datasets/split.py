"""Holding out a share of the images, the same of every class."""

import numpy as np

from winnow.streams import numpy_stream


def hold_out(labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Which rows stay and which are held out: round(share * n) of the n images of every class, drawn uniformly.

    labels: int64 [n]. Gives two int64 arrays of row numbers, both rising, which together hold every row once. Each
    class draws from its own part of the stream "holdout" of the seed; a larger share holds out the same ones and more.
    """
    held = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        order = numpy_stream(seed, "holdout", int(label)).permutation(len(rows))
        held[rows[order[: round(share * len(rows))]]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)
