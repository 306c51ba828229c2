"""Training a pruned network on the outputs of the network that it was pruned from (Hinton et al. 2015)."""

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt, Le

if TYPE_CHECKING:  # params.yaml is checked without torch
    import numpy as np
    import torch

    from winnow.training.distillation import Teaching


def distilling(
    outputs: "np.ndarray",
    device: "torch.device",
    *,
    distil: Annotated[float, Ge(0), Le(1)] = 0.0,
    distil_temperature: Annotated[float, Gt(0)] = 4.0,
) -> "Teaching":
    """What the level's parent teaches it.

    outputs: the parent's log softmax of the images that the level trains on, without augmentation, float [n, classes].
    distil: how much the teacher counts in the loss, from 0 (no teacher) to 1 (no labels). distil_temperature: of the
    teacher's softmax and of the level's.
    """
    from winnow.training.distillation import teaching

    return teaching(outputs, distil, distil_temperature, device)
