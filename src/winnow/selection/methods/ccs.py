"""Coverage-centric selection (Zheng et al. 2023, "Coverage-centric coreset selection for high pruning rates", Alg. 1).

As in the authors' code, except that the largest score belongs to the last stratum whatever its sign.
"""

from typing import Annotated

import numpy as np
from annotated_types import Ge, Lt

from winnow.selection.evidence import Chosen, Evidence


def ccs(
    evidence: Evidence,
    size: int,
    rng: np.random.Generator,
    *,
    score: str,
    epoch: int,
    cutoff: Annotated[float, Ge(0), Lt(1)] = 0.0,
    strata: Annotated[int, Ge(1)] = 50,
) -> Chosen:
    """Take the same number of images from every stratum of a difficulty score, or all of a smaller stratum.

    score: after an epoch; higher is harder. cutoff: first leave out this fraction of the images, the hardest, because
    many have wrong labels (beta in the paper). strata: divide the score range of the others into so many parts of equal
    width; the smallest strata give their images first, and the others share the rest. The draw within a stratum is
    uniform. Subsets are not nested: another size is another draw.

    Raises ValueError if the cutoff leaves fewer than ``size`` images.
    """
    values = finite(evidence.score(score, epoch))
    left = without_hardest(values, cutoff, size)
    return Chosen(from_strata(values, left, size, strata, rng))


def without_hardest(values: np.ndarray, cutoff: float, size: int) -> np.ndarray:
    """The rows of difficulty scores [n] that a cutoff leaves, by rising score: all but its fraction, the highest.

    Raises ValueError if they are fewer than ``size``.
    """
    left = np.argsort(values, kind="stable")[: len(values) - int(cutoff * len(values))]
    if size > len(left):
        most = np.floor(1000 * (1 - size / len(values))) / 1000
        raise ValueError(f"a cutoff of {cutoff:g} has no room for {size} of {len(values)} images; it can be {most:g}")
    return left


def from_strata(values: np.ndarray, left: np.ndarray, size: int, strata: int, rng: np.random.Generator) -> np.ndarray:
    """Draw ``size`` of the rows ``left`` of scores [n], of every stratum the number that ``budgets`` says."""
    stratum = strata_of(values[left], strata)
    sizes = np.bincount(stratum, minlength=strata)
    counts = budgets(sizes, size)
    return np.concatenate(
        [rng.choice(left[stratum == number], count, replace=False) for number, count in enumerate(counts) if count]
    )


def finite(scores: np.ndarray) -> np.ndarray:
    """Scores [n] as float64, with the largest finite score plus 1 in place of infinity: the range must be finite."""
    values = scores.astype(np.float64)
    endless = np.isinf(values)
    return np.where(endless, values[~endless].max(initial=0) + 1, values)


def strata_of(values: np.ndarray, strata: int) -> np.ndarray:
    """The stratum of every value [n], from 0; strata divide the range evenly. If all values are equal, it is 0."""
    low, width = values.min(), np.ptp(values)
    if width == 0:
        return np.zeros(len(values), np.int64)
    return np.minimum(((values - low) / width * strata).astype(np.int64), strata - 1)


def budgets(sizes: np.ndarray, total: int) -> np.ndarray:
    """How many images each stratum gives, int64 [strata]. The strata have ``sizes`` images. From the smallest to the
    largest, each gives an equal part of what is still needed, or all it has."""
    counts = np.zeros(len(sizes), np.int64)
    order = np.argsort(sizes, kind="stable")
    for done, number in enumerate(order):
        counts[number] = min(sizes[number], (total - counts.sum()) // (len(sizes) - done))
    return counts
