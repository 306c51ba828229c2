"""Random steps away from a network's weights, for comparison with the step that a mask makes."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from winnow.streams import torch_stream


def random_direction(mask: Mapping[str, Tensor], length: float, seed: int, index: int) -> dict[str, Tensor]:
    """A step of L2 norm ``length`` in a uniformly random direction over the live prunable weights; float32 by name.

    mask: bool tensors by the names of the prunable parameters, with at least one live entry; the step is zero in all
    other entries. The step depends on the mask, the length, the seed and the index only, not on the order of the names.
    """
    draws = torch_stream(seed, "perturbation", index)
    steps = {}
    for name in sorted(mask):
        normal = torch.randn(mask[name].shape, generator=draws, dtype=torch.float64)
        steps[name] = normal.to(mask[name].device) * mask[name]
    norm = math.sqrt(sum(float(step.square().sum()) for step in steps.values()))
    return {name: (steps[name] * (length / norm)).float() for name in mask}
