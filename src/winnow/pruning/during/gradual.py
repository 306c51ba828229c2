"""Gradual magnitude pruning (Zhu and Gupta 2017, "To prune, or not to prune", eq. 1); with any criterion."""

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt, Le, Lt

from winnow.pruning.during_level import During

if TYPE_CHECKING:  # params.yaml is checked without torch
    from winnow.training.loop import Changes, Run


def gradual(
    level: During,
    *,
    begin: Annotated[float, Ge(0), Lt(1)] = 0.0,
    end: Annotated[float, Gt(0), Le(1)] = 0.75,
    cuts: Annotated[int, Ge(1)] = 20,
) -> "Changes":
    """Prunes in ``cuts`` cuts, evenly spread between begin and end (fractions of the training). Most is pruned early.

    After cut k of n, after + (before - after) (1 - k / n)^3 weights remain. A pruned weight stays pruned. Raises
    ValueError if the end is not after the begin.
    """
    from winnow.training.loop import Changes

    if end <= begin:
        raise ValueError(f"end: {end:g} must be after begin, {begin:g}")
    left = {}
    for k in range(1, cuts + 1):
        step = level.first + max(1, round((begin + (end - begin) * k / cuts) * (level.last - level.first)))
        left[step] = round(level.after + (level.before - level.after) * (1 - k / cuts) ** 3)

    def after_step(run: "Run") -> None:
        if run.step in left:
            level.prune(run, left[run.step])

    return Changes(after_step)
