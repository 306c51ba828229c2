"""GraNet (Liu et al. 2021, "Sparse training via boosting pruning plasticity with neuroregeneration", sec. 4)."""

import math
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt, Le, Lt

from winnow.pruning.during.gradual import gradual
from winnow.pruning.during_level import During

if TYPE_CHECKING:  # params.yaml is checked without torch
    from winnow.training.loop import Changes, Run

BY_GRADIENTS = True  # gradients decide which weights stay


def granet(
    level: During,
    *,
    begin: Annotated[float, Ge(0), Lt(1)] = 0.0,
    end: Annotated[float, Gt(0), Le(1)] = 0.75,
    cuts: Annotated[int, Ge(1)] = 20,
    regrow: Annotated[float, Ge(0), Le(1)] = 0.5,
) -> "Changes":
    """Prunes as ``gradual`` does. After each cut, every layer drops its smallest weights and grows as many where the
    gradient is largest.

    The fraction of a layer's weights that it drops falls from ``regrow`` to 0.005 (or to ``regrow``, if that is less)
    at the end of the training, along half a cosine; the count is rounded up, as in the authors' code. After the last
    cut, drops and growth go on at the same intervals, but for the last step of the training. A weight that grows begins
    at zero, without momentum, unless it was dropped right before. With ``regrow`` 0 this is ``gradual``. Raises
    ValueError if the end is not after the begin.
    """
    from winnow.pruning.regrow import cosine, regrow_by_gradient
    from winnow.training.loop import Changes

    cut = gradual(level, begin=begin, end=end, cuts=cuts)
    length = level.last - level.first
    intervals = range(1, math.ceil((1 - begin) / (end - begin) * cuts))
    steps = {max(1, round((begin + (end - begin) * k / cuts) * length)) for k in intervals} - {length}

    def after_step(run: "Run") -> None:
        cut.after_step(run)
        step = run.step - level.first
        if step in steps:
            fraction = cosine(regrow, min(regrow, 0.005), step / length)
            regrow_by_gradient(run, lambda count: math.ceil(fraction * count))

    return Changes(after_step)
