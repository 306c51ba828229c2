"""FPGM (He et al. 2019, "Filter pruning via geometric median for deep convolutional neural networks acceleration",
eq. 6)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # params.yaml is checked without torch
    from torch import Tensor

    from winnow.pruning.context import Context, Scores


def fpgm(context: "Context") -> "Scores":
    """Every weight gets the sum of the Euclidean distances from its filter, the weights of one output of a layer, to
    all filters of the layer. The filter nearest to the geometric median of the others has the lowest sum, as they can
    replace it.

    Only filters with remaining weights count; the others get 0. The paper prunes each layer by the same fraction, again
    after every epoch, keeps training what is pruned, and also keeps a share by norm. Winnow prunes once a level.
    """
    from winnow.pruning.filters import to_weights

    scores = {}
    for name, weight in context.weights.items():
        alive = context.mask[name].flatten(1).any(1).to(weight.device)
        sums = weight.new_zeros(len(weight))
        sums[alive] = distances(weight.flatten(1)[alive]).to(weight.dtype)
        scores[name] = to_weights(sums, weight)
    return scores


def distances(rows: "Tensor") -> "Tensor":
    """The sum of the distances from each row of [n, d] to all rows, float64 [n]. Needs memory for [n, n]."""
    import torch

    return torch.cdist(rows.double(), rows.double()).sum(1)
