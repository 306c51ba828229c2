"""AP, activate while pruning (Liu et al. 2022, "AP: selective activation for de-sparsifying pruned neural
networks")."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Lt

if TYPE_CHECKING:  # params.yaml is checked without torch
    from torch import Tensor

    from winnow.pruning.masks import Mask
    from winnow.pruning.weights import State


def activating(
    cut: "Callable[[int], Mask]",
    mask: "Mapping[str, Tensor]",
    trained: "State",
    started: "State",
    floor: int | float,
    *,
    activate: Annotated[float, Ge(0), Lt(1)] = 0.0,
) -> "Callable[[int], Mask]":
    """From how many weights remain to the mask: that of ``cut``, but some of the weights are pruned in another way.

    activate: this fraction of the mask's weights (or all that are to be pruned, if those are fewer) are not for ``cut``
    to prune. Of the negative weights that it leaves, those are pruned that moved least in the training, from
    ``started`` to ``trained``, over all layers together. Without such weights, the inputs of a ReLU are above zero more
    often. Among weights that moved equally, the first are pruned first. The cut raises ValueError if there are too few
    negative weights.

    The authors' code compares with a threshold and so prunes ties, and one weight more; here the count is exact.
    """
    if activate == 0:
        return cut

    def both(left: int) -> "Mask":
        import torch

        from winnow.pruning.masks import count_left
        from winnow.pruning.prune import prune

        before = count_left(mask)
        found = cut(min(before, left + round(activate * before)))
        scores = {
            name: torch.where(trained[name] < 0, (trained[name] - started[name]).abs(), torch.inf) for name in mask
        }
        activated = prune(scores, found, left, floor=floor)
        if any((found[name] & ~kept & (trained[name] >= 0)).any() for name, kept in activated.items()):
            raise ValueError(f"activate: {activate:g} is more than the negative weights; lower it")
        return activated

    return both
