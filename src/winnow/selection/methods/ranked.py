"""Select the images of the highest score, or of a window of the ranking (Data Diet, sec. 3)."""

from typing import Annotated

import numpy as np
from annotated_types import Ge, Lt

from winnow.selection.evidence import Chosen, Evidence
from winnow.selection.size import parts


def ranked(
    evidence: Evidence,
    size: int,
    rng: np.random.Generator,
    *,
    score: str,
    epoch: int,
    seeds: Annotated[int, Ge(1)] | None = None,
    group: Annotated[int, Ge(1)] = 1,
    source: str | None = None,
    window: Annotated[float, Ge(0), Lt(1)] | None = None,
    per_class: bool = False,
) -> Chosen:
    """The ``size`` images of the highest score after an epoch.

    score: a score's name, or random, which ranks by draws of ``rng``, so that a larger subset contains a smaller one.
    seeds: rank by the mean over only so many of the seeds: the first ones; or the second ones with group 2, and so on,
    so that groups have no seed in common. None takes the mean over all.
    source: the score is of these other networks (transfer.sources), the mean over all of them.
    window: skip this fraction of the images, those of the lowest scores, and keep the next; None keeps the highest.
    per_class: rank within every class, and keep the same fraction of each. Raises ValueError if the window has no room,
    if there are too few seeds, if group is given without seeds, or seeds with source.
    """
    if seeds is None and group > 1:
        raise ValueError("group: give seeds too, how many a group has")
    if seeds is not None and source is not None:
        raise ValueError("seeds: the mean over some seeds is of the scored networks; leave out source")
    own = None if seeds is None else range((group - 1) * seeds, group * seeds)
    values = rng.random(len(evidence.labels)) if score == "random" else evidence.score(score, epoch, own, source)
    groups = parts(size, evidence.labels, evidence.classes, per_class)
    chosen = [rows[top(values[rows], n) if window is None else above(values[rows], n, window)] for rows, n in groups]
    return Chosen(np.concatenate(chosen))


def top(scores: np.ndarray, count: int) -> np.ndarray:
    """Rows of the ``count`` highest scores of [n] (Data Diet, sec. 3). Of equal scores the earlier rows win."""
    return np.argsort(-scores, kind="stable")[:count]


def above(scores: np.ndarray, count: int, start: float) -> np.ndarray:
    """Rows of the ``count`` lowest scores of [n] after skipping the lowest fraction ``start`` (0 to 1).

    The sliding window of Data Diet, sec. 3.3; ``start`` is its percentile f, so 0 keeps the easiest images. Raises
    ValueError if fewer than ``count`` images remain.
    """
    skipped = round(start * len(scores))
    if skipped + count > len(scores):
        most = np.floor(1000 * (len(scores) - count) / len(scores)) / 1000  # down, so that the proposal fits
        raise ValueError(
            f"a window from {start:g} has no room for {count} of {len(scores)} images; it can start at {most:g}"
        )
    return np.argsort(scores, kind="stable")[skipped : skipped + count]
