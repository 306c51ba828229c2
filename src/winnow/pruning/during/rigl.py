"""RigL (Evci et al. 2020, "Rigging the lottery: making all tickets winners", sec. 3)."""

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt, Le

from winnow.pruning.during_level import During

if TYPE_CHECKING:  # params.yaml is checked without torch
    from winnow.training.loop import Changes, Run

MOVES = True  # the level is pruned before the training, and keeps its counts of weights
BY_GRADIENTS = True  # gradients decide which weights stay


def rigl(
    level: During,
    *,
    every: Annotated[int, Ge(1)] = 100,
    drop: Annotated[float, Gt(0), Le(1)] = 0.3,
    end: Annotated[float, Gt(0), Le(1)] = 0.75,
) -> "Changes":
    """Every so many steps, each layer drops its smallest weights, and grows as many where the gradient is largest.

    The fraction of a layer's weights that it drops falls from ``drop`` to 0 at ``end`` (a fraction of the training),
    along half a cosine; the count is rounded down. A dropped weight may return at once, with its value. The others that
    grow begin at zero, without momentum.

    The paper skips the step of SGD where it changes the mask. Here that step is taken first, and its gradient, of the
    weights before the step, says where to grow.
    """
    from winnow.pruning.regrow import cosine, regrow_by_gradient
    from winnow.training.loop import Changes

    until = end * (level.last - level.first)

    def after_step(run: "Run") -> None:
        step = run.step - level.first
        if step % every == 0 and step < until:
            fraction = cosine(drop, 0, step / until)
            regrow_by_gradient(run, lambda count: int(fraction * count))

    return Changes(after_step)
