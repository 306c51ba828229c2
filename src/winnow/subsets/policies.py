"""Which images are kept, once every image has a score."""

import numpy as np

from winnow.errors import UserError


def top(scores: np.ndarray, count: int) -> np.ndarray:
    """Rows of the ``count`` highest of the scores [n] (Data Diet, sec. 3); of equal scores, the earlier rows."""
    return np.argsort(-scores, kind="stable")[:count]


def window(scores: np.ndarray, count: int, start: float) -> np.ndarray:
    """Rows of ``count`` neighbours in the order of rising score [n], above the lowest share ``start`` (0 to 1).

    The sliding window of Data Diet, sec. 3.3; ``start`` is its percentile f, so 0 keeps the easiest images. Raises
    UserError if fewer than ``count`` images lie above it.
    """
    skipped = round(start * len(scores))
    if skipped + count > len(scores):
        most = np.floor(1000 * (len(scores) - count) / len(scores)) / 1000  # down, so that what is proposed fits
        raise UserError(
            f"select.methods: a window from {start:g} has no room for {count} of {len(scores)} images; "
            f"it can start at {most:g}"
        )
    return np.argsort(scores, kind="stable")[skipped : skipped + count]
