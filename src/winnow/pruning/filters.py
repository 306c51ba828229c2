"""Criteria that score whole filters: the weights of one output of a layer."""

from torch import Tensor


def to_weights(filters: Tensor, weight: Tensor) -> Tensor:
    """Give every weight, [out, ...], the score of its filter, from [out]."""
    return filters.view(-1, *[1] * (weight.dim() - 1)).expand(weight.shape).contiguous()
