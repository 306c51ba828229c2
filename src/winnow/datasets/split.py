"""Hold out a fraction of the images, the same fraction of every class."""

import numpy as np

from winnow.streams import numpy_stream


def hold_out(labels: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Hold out round(fraction * n) of the n images of every class, drawn uniformly.

    labels: int64 [n]. Returns the rows that stay and the rows held out: two rising int64 arrays, which together have
    every row once. Each class draws from its own part of the seed's stream "holdout". A larger fraction holds out the
    same images and more.
    """
    held = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        order = numpy_stream(seed, "holdout", int(label)).permutation(len(rows))
        held[rows[order[: round(fraction * len(rows))]]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)
