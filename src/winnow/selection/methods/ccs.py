"""Coverage-centric selection (Zheng et al. 2023, "Coverage-centric coreset selection for high pruning rates", Alg. 1).

As in the authors' code, except that the largest score belongs to the last stratum whatever its sign is.
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
    """As many images from every stratum of a difficulty score as it has, or as the others leave room for.

    score: the higher, the harder, after an epoch. cutoff: the fraction of the hardest images left out first, beta in
    the paper: many are labelled wrongly. strata: into how many of equal width the range of the others is cut; the
    smallest is drawn from first. The draw within a stratum is uniform. Not nested: another size is another draw.

    Raises ValueError if the cutoff leaves fewer than ``size`` images.
    """
    values = finite(evidence.score(score, epoch))
    left = np.argsort(values, kind="stable")[: len(values) - int(cutoff * len(values))]
    if size > len(left):
        most = np.floor(1000 * (1 - size / len(values))) / 1000
        raise ValueError(f"a cutoff of {cutoff:g} has no room for {size} of {len(values)} images; it can be {most:g}")
    stratum = strata_of(values[left], strata)
    sizes = np.bincount(stratum, minlength=strata)
    counts = budgets(sizes, size)
    return Chosen(
        np.concatenate(
            [rng.choice(left[stratum == number], count, replace=False) for number, count in enumerate(counts) if count]
        )
    )


def finite(scores: np.ndarray) -> np.ndarray:
    """Scores [n] as float64, with one more than the largest in place of infinity: the range must have an end."""
    values = scores.astype(np.float64)
    endless = np.isinf(values)
    return np.where(endless, values[~endless].max(initial=0) + 1, values)


def strata_of(values: np.ndarray, strata: int) -> np.ndarray:
    """The stratum of every value [n], from 0: of equal width over their range. Equal values are one stratum."""
    low, width = values.min(), np.ptp(values)
    if width == 0:
        return np.zeros(len(values), np.int64)
    return np.minimum(((values - low) / width * strata).astype(np.int64), strata - 1)


def budgets(sizes: np.ndarray, total: int) -> np.ndarray:
    """How many images each stratum gives, int64 [strata], of which it has ``sizes``: the smallest first, each what is
    then left for it, or all that it has."""
    counts = np.zeros(len(sizes), np.int64)
    order = np.argsort(sizes, kind="stable")
    for done, number in enumerate(order):
        counts[number] = min(sizes[number], (total - counts.sum()) // (len(sizes) - done))
    return counts
