"""The norm of a filter (Li et al. 2017, "Pruning filters for efficient ConvNets", sec. 3.1)."""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # params.yaml is checked without torch
    from winnow.pruning.context import Context, Scores


def filter_norm(context: "Context", *, norm: Literal["l1", "l2"] = "l1") -> "Scores":
    """Every weight gets the norm of its filter, the weights of one output of a layer: the sum of |w| (l1, the
    paper's choice), or the root of the sum of w^2 (l2).

    Do not compare norms of different layers: a filter with more weights has a larger norm. The paper prunes each layer
    by a fraction of its own; ``structure: channels`` divides by the mean of the layers that share channels.
    """
    from winnow.pruning.filters import to_weights

    order = {"l1": 1, "l2": 2}[norm]
    return {name: to_weights(weight.flatten(1).norm(order, dim=1), weight) for name, weight in context.weights.items()}
