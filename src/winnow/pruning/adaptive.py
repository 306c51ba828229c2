"""As large a cut as the error allows."""

from collections.abc import Callable
from dataclasses import dataclass

from winnow.pruning.masks import Mask
from winnow.pruning.prune import may_cut

GRID = 64  # the adaptive cut takes a multiple of 1/64 of the weights left


@dataclass(frozen=True, eq=False)
class AdaptiveCut:
    """What ``cut_most`` found: the mask, the fraction of the weights left that it cuts, the error before retraining.

    tried: every fraction that was evaluated with its error, by rising fraction; the first is 0, no cut.
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
    """The largest cut whose error before retraining, ``error_of`` of its mask, is at most ``budget``.

    cut: from a fraction of the weights left to the mask without them. Found by bisection over the multiples of 1/64 up
    to ``most``, or up to what the floor allows: about seven evaluations. Bisection takes the error to rise with the
    fraction. It rises only by and large, so that what is returned is a fraction within the budget whose successor on
    the grid was found outside it (or is not allowed); a still larger one may lie within it again. If none is within it,
    or the error without any cut is not, the fraction is 0 and the mask as it was.
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
