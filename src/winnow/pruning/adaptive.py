"""Prunes as much as the error allows."""

from collections.abc import Callable
from dataclasses import dataclass

from winnow.pruning.masks import Mask
from winnow.pruning.prune import may_cut

GRID = 64  # the adaptive cut prunes a multiple of 1/64 of the remaining weights


@dataclass(frozen=True, eq=False)
class AdaptiveCut:
    """What ``cut_most`` found: the new mask, the fraction of the remaining weights that it prunes, the error before
    retraining.

    tried: every fraction that was evaluated and its error, by rising fraction; the first fraction is 0 (nothing
    pruned).
    """

    mask: Mask
    fraction: float
    error: float
    tried: list[tuple[float, float]]


def cut_most(
    mask: Mask,
    cut: Callable[[float], Mask],
    error_of: Callable[[Mask], float],
    budget: float,
    floor: int | float = 0,
    most: float = 1.0,
) -> AdaptiveCut:
    """The largest cut with an error before retraining (``error_of`` its mask) of at most ``budget``.

    cut: from a fraction of the remaining weights to the mask without them. Bisection over the multiples of 1/64 up to
    ``most``, or up to what the floor allows, takes about seven evaluations. It assumes that the error rises with the
    fraction. The error does so only by and large: the fraction returned is within the budget, and the next one on the
    grid is not (or is not allowed), but a still larger one may be within it again. If no fraction is within the budget,
    or the error already exceeds it before any cut, the fraction is 0 and the mask does not change.
    """
    allowed = [k for k in range(GRID + 1) if k / GRID <= most and may_cut(mask, k / GRID, floor)]
    best, errors = dict(mask), {0.0: error_of(dict(mask))}
    within, outside = 0, allowed[-1] + 1 if errors[0.0] <= budget else 1
    while outside - within > 1:
        k = (within + outside) // 2
        found = cut(k / GRID)
        errors[k / GRID] = error_of(found)
        if errors[k / GRID] <= budget:
            within, best = k, found
        else:
            outside = k
    return AdaptiveCut(best, within / GRID, errors[within / GRID], sorted(errors.items()))
