"""Of every class the images by the score that tells them apart best (Maharana et al. 2024, "Adapt-infinity: scalable
lifelong multimodal instruction tuning via dynamic data selection").

The paper has clusters of gradients in place of classes, and other scores. What is left out at both ends follows the
authors' code.
"""

from typing import Annotated

import numpy as np
from annotated_types import Ge, Lt, MinLen

from winnow.counts import parts
from winnow.selection.evidence import Chosen, Evidence
from winnow.selection.methods.ccs import finite, from_strata


def adaptive_score(
    evidence: Evidence,
    size: int,
    rng: np.random.Generator,
    *,
    scores: Annotated[list[str], MinLen(1)],
    epoch: int,
    bins: Annotated[int, Ge(2)] = 50,
    strata: Annotated[int, Ge(1)] = 50,
    trim: Annotated[float, Ge(0), Lt(0.5)] = 0.05,
) -> Chosen:
    """Choose in every class as ccs does, by the score whose values are spread most evenly over their range.

    scores: after an epoch. For each class the score is taken whose histogram over so many bins of equal width has the
    highest entropy; of equal ones the first. trim: leave out this fraction of the class at each end of that score, or
    less where the class keeps more than that leaves.
    strata: as for ccs, but no more than the images that the class keeps. Every class keeps the same fraction. The draw
    within a stratum is uniform.
    """
    columns = [finite(evidence.score(name, epoch)) for name in scores]
    chosen = []
    for rows, count in parts(size, evidence.labels, evidence.classes, per_class=True):
        values = max((column[rows] for column in columns), key=lambda own: entropy(own, bins))
        out = min(int(trim * len(rows)), (len(rows) - count) // 2)
        left = np.argsort(values, kind="stable")[out : len(rows) - out]
        chosen.append(rows[from_strata(values, left, count, min(strata, count), rng)])
    return Chosen(np.concatenate(chosen))


def entropy(values: np.ndarray, bins: int) -> float:
    """The entropy, in nats, of the histogram of values [n] over bins that divide their range evenly; 0 if all are the
    same."""
    counts = np.histogram(values, bins)[0]
    parts_of_all = counts[counts > 0] / len(values)
    return float(-(parts_of_all * np.log(parts_of_all)).sum())
