"""Select the images of the highest score, or of a window of the ranking (Data Diet, sec. 3), or of both its ends
(Swayamdipta et al. 2020, "Dataset cartography"; the shares 0.7 and 0.3 are those of the authors' code)."""

from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Le
from pydantic import BeforeValidator

from winnow.counts import parts
from winnow.selection.evidence import Chosen, Evidence

HARDEST = 0.7  # the share of the hardest images where both ends are kept


def _window(value: Any) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1
    if not (value is None or number or value in ("middle", "ends")):
        raise ValueError(f"must be a fraction from 0 to below 1, middle or ends, not {value!r}")
    return value


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
    window: Annotated[float | str | None, BeforeValidator(_window)] = None,
    hardest: Annotated[float, Ge(0), Le(1)] | None = None,
    per_class: bool = False,
    equal: bool = False,
) -> Chosen:
    """The ``size`` images of the highest score after an epoch.

    score: a score's name, or random, which ranks by draws of ``rng``, so that a larger subset contains a smaller one.
    seeds: rank by the mean over only so many of the seeds: the first ones; or the second ones with group 2, and so on,
    so that groups have no seed in common. None takes the mean over all.
    source: the score is of these other networks (transfer.sources), the mean over all of them.
    window: skip this fraction of the images, those of the lowest scores, and keep the next; None keeps the highest;
    middle leaves out as many of the lowest as of the highest; ends leaves out the middle.
    hardest: of what ends keeps, the share of the highest scores; 0.7 if left out. The others have the lowest.
    per_class: rank within every class, and keep the same fraction of each. equal: with per_class, keep the same number
    of each; what a smaller class lacks, the others share.

    Raises ValueError if the window has no room, if there are too few seeds, if group is given without seeds, seeds with
    source, hardest without ends, or equal without per_class.
    """
    if seeds is None and group > 1:
        raise ValueError("group: give seeds too, how many a group has")
    if seeds is not None and source is not None:
        raise ValueError("seeds: the mean over some seeds is of the scored networks; leave out source")
    if hardest is not None and window != "ends":
        raise ValueError("hardest: is of window: ends, how many of them have the highest scores")
    if equal and not per_class:
        raise ValueError("equal: give per_class too, as it is about the classes")
    own = None if seeds is None else range((group - 1) * seeds, group * seeds)
    values = rng.random(len(evidence.labels)) if score == "random" else evidence.score(score, epoch, own, source)
    groups = parts(size, evidence.labels, evidence.classes, per_class, equal)
    return Chosen(np.concatenate([rows[_part(values[rows], n, window, hardest)] for rows, n in groups]))


def _part(scores: np.ndarray, count: int, window: float | str | None, hardest: float | None) -> np.ndarray:
    if window is None:
        return top(scores, count)
    if window == "middle":
        return middle(scores, count)
    if window == "ends":
        return ends(scores, count, HARDEST if hardest is None else hardest)
    return above(scores, count, float(window))


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


def middle(scores: np.ndarray, count: int) -> np.ndarray:
    """Rows of ``count`` scores of [n] around the median. An odd number leaves one more out above."""
    skipped = (len(scores) - count) // 2
    return np.argsort(scores, kind="stable")[skipped : skipped + count]


def ends(scores: np.ndarray, count: int, hardest: float) -> np.ndarray:
    """Rows of the highest scores of [n], the share ``hardest`` (0 to 1) of ``count``, and of the lowest, the rest."""
    order = np.argsort(-scores, kind="stable")  # one order for both ends, so that no row is at both
    high = round(hardest * count)
    return np.concatenate([order[:high], order[len(order) - (count - high) :]])
