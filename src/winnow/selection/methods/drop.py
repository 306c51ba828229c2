"""DRoP (Vysogorets et al. 2025, "DRoP: distributionally robust data pruning", sec. 4): quotas of the classes by their
errors on held-out images.

The paper's networks are trained to the end; here they are those of early, after an epoch. The floor is this library's.
"""

from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from winnow.counts import fill, rounded
from winnow.selection.evidence import Chosen, Evidence
from winnow.selection.methods.ranked import top

NEEDS_VALIDATION = True


def drop(
    evidence: Evidence,
    size: int,
    rng: np.random.Generator,
    *,
    epoch: int,
    score: str = "random",
    floor: Annotated[float, Ge(0), Le(1)] = 0.1,
) -> Chosen:
    """Keep more images of the classes that the networks get wrong more often on the validation images.

    A class's quota is in proportion to its error there, 1 - recall, after an epoch. A class that has fewer images keeps
    all, and the others share the rest in the same proportions. floor: an error counts as this fraction of the mean
    error at least, so that a class without errors keeps some images. A class without validation images has the mean
    error. score: of a class, the images of the highest score are kept; random draws them.

    The validation images choose the subset here, so results on them are no longer independent of it.

    Raises ValueError if there are no validation images.
    """
    quotas = quotas_of(evidence.recalls(epoch), np.bincount(evidence.labels, minlength=evidence.classes), size, floor)
    values = rng.random(len(evidence.labels)) if score == "random" else evidence.score(score, epoch)
    counts = rounded(np.round(quotas, 9), size)  # so that equal remainders are equal in spite of rounding errors
    classes = ((np.flatnonzero(evidence.labels == label), count) for label, count in enumerate(counts))
    return Chosen(np.concatenate([rows[top(values[rows], count)] for rows, count in classes]))


def quotas_of(recalls: np.ndarray, sizes: np.ndarray, total: int, floor: float) -> np.ndarray:
    """How many images every class keeps, before rounding, float64 [classes], which sum to ``total``.

    recalls: [classes], 0 to 1, NaN where unknown; sizes: how many images each class has, int64 [classes].
    """
    errors = 1 - recalls
    if np.nan_to_num(errors).max() == 0:  # no errors at all: the classes are alike
        errors = np.ones(len(errors))
    mean = float(np.nanmean(errors))
    return fill(np.maximum(np.nan_to_num(errors, nan=mean), floor * mean), sizes, total)
