"""Matching: whether a sparse network does as well as the dense one, up to the spread between replicates."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

CONFIDENCE = 0.95  # of the prediction interval


def epsilon(dense_errors: Sequence[float] | np.ndarray) -> float:
    """By how much the mean error of a sparse network may be above the dense one's, in the unit of the errors [r].

    Half the width of Student's 95% prediction interval for the mean error of r further dense networks, given the r that
    there are: t s sqrt(1/r + 1/r), with s their standard deviation and t the 97.5% quantile of r - 1 degrees of
    freedom. So another r dense networks, if errors are normal, would be called matching 97.5% of the time; networks
    that share seeds with the dense ones, and err alike for it, more often still. That pairing is left out of account on
    purpose: an epsilon of the dense errors alone is one bar for all levels and methods.

    With two replicates t is 12.7, and almost anything matches; with three 4.3, with five 2.8.

    Raises ValueError if there are fewer than two: they have no spread.
    """
    replicates = len(dense_errors)
    if replicates < 2:
        raise ValueError(f"dense_errors: {replicates} dense network has no spread; take 3 or more, 2 at the least")
    quantile = stdtrit(replicates - 1, (1 + CONFIDENCE) / 2)
    return float(quantile * np.std(dense_errors, ddof=1) * math.sqrt(2 / replicates))


def is_matching(errors: Sequence[float] | np.ndarray, dense_errors: Sequence[float] | np.ndarray) -> bool:
    """Whether the mean test error of sparse networks [r] is at most that of the dense ones [r] plus ``epsilon``.

    Both are of the same seeds. A network that diverged (an error of nan) is not matching. Raises ValueError as
    ``epsilon`` does, and if the two differ in length.
    """
    if len(errors) != len(dense_errors):
        raise ValueError(f"{len(errors)} sparse and {len(dense_errors)} dense networks: must be of the same seeds")
    return bool(np.mean(errors) <= np.mean(dense_errors) + epsilon(dense_errors))
