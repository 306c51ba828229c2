"""Sparse evolutionary training, SET (Mocanu et al. 2018, "Scalable training of artificial neural networks with adaptive
sparse connectivity inspired by network science", algorithm 1)."""

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt, Le

from winnow.pruning.during_level import During

if TYPE_CHECKING:  # params.yaml is checked without torch
    import numpy as np

    from winnow.training.loop import Changes, Run

MOVES = True  # the level is pruned before the training, and keeps its counts of weights


def sparse_evolution(
    level: During, *, every: Annotated[int, Ge(1)] = 100, drop: Annotated[float, Gt(0), Le(1)] = 0.3
) -> "Changes":
    """Every so many steps, each layer drops some weights and grows as many at random places.

    It drops the fraction ``drop`` of its positive weights, those nearest to zero, and the same of its negative ones;
    both counts are rounded down. A dropped weight may return at once, with its value. The others that grow begin at
    zero, without momentum; the paper draws their values at random. The paper changes the mask after every epoch but the
    last.
    """
    from winnow.pruning.regrow import change_layers, regrown, smallest
    from winnow.streams import numpy_stream
    from winnow.training.loop import Changes

    def after_step(run: "Run") -> None:
        step = run.step - level.first
        if step % every or run.step >= level.last:
            return
        number = {name: i for i, name in enumerate(sorted(run.mask))}

        def changed(name: str, kept: "np.ndarray", weights: "np.ndarray") -> "np.ndarray":
            draws = numpy_stream(run.seed, "random_mask", number[name], run.step).random(len(kept))
            signs = [kept & (weights >= 0), kept & (weights < 0)]
            dropped = [smallest(sign, weights, int(drop * sign.sum())) for sign in signs]
            return regrown(kept, dropped[0] | dropped[1], draws)

        change_layers(run, changed)

    return Changes(after_step)
