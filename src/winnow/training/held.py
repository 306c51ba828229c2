"""Pruned weights, held at zero."""

import torch
from torch import Tensor

BITS = {2: torch.int16, 4: torch.int32, 8: torch.int64}  # by the bytes of a number


def pruned_by(kept: Tensor, weight: Tensor) -> Tensor:
    """Where a mask prunes a weight: bool, on the weight's device, in memory in the order of the weight."""
    return torch.empty_like(weight, dtype=torch.bool).copy_(~kept)


def zero(weight: Tensor, where: Tensor) -> None:
    """Set a weight to zero, in place, where the bool tensor of its shape is True.

    On the CPU, masked_fill_ branches at every weight, and guesses wrong at many: with half of a large layer pruned it
    takes twenty times as long as the three passes here.
    """
    bits = BITS.get(weight.element_size())
    if weight.device.type == "cpu" and bits:
        weight.view(bits).bitwise_and_(where.to(bits).sub_(1))  # all bits of 0 - 1 are set, and none of 1 - 1
    else:
        weight.masked_fill_(where, 0)
