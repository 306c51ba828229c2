"""N:M sparsity (Mishra et al. 2021, "Accelerating sparse deep neural networks", sec. 3; 2:4 there)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import numpy as np
from annotated_types import Ge

if TYPE_CHECKING:  # params.yaml is checked without torch
    from torch import Tensor

    from winnow.pruning.context import Scores
    from winnow.pruning.masks import Mask


def n_of_m(
    scores: "Scores", mask: Mapping[str, "Tensor"], *, n: Annotated[int, Ge(1)] = 2, m: Annotated[int, Ge(2)] = 4
) -> "Mask":
    """Of every ``m`` consecutive inputs of an output, the ``n`` highest scores stay; among equal ones the later.

    A layer's weights are [out, in, ...]: in a convolution, a group is ``m`` input channels at one place of the kernel.
    A layer keeps all its weights if ``m`` does not divide its number of inputs, as in the first convolution of an
    image and in a depthwise one. A group of which fewer than ``n`` weights remain keeps these.

    Raises ValueError if n is not below m, if no layer has groups of m, or if a score is NaN.
    """
    import torch

    from winnow.pruning.prune import numbers

    if n >= m:
        raise ValueError(f"n: must be below m ({m}), not {n}")
    if not any(kept.shape[1] % m == 0 for kept in mask.values()):
        raise ValueError(f"m: no layer has a multiple of {m} inputs; take another")
    found = {}
    for name, kept in mask.items():
        if kept.shape[1] % m:
            found[name] = kept.cpu().clone()
            continue
        alive = _groups(kept.cpu().numpy(), m)
        groups = np.where(alive, _groups(numbers(name, scores[name]).reshape(tuple(kept.shape)), m), -np.inf)
        order = np.argsort(groups, axis=-1, kind="stable")
        stay = np.zeros(groups.shape, bool)
        np.put_along_axis(stay, order[..., m - n :], True, axis=-1)
        layer = np.moveaxis((stay & alive).reshape(*stay.shape[:-2], -1), -1, 1)
        found[name] = torch.from_numpy(np.ascontiguousarray(layer))
    return found


def _groups(layer: np.ndarray, m: int) -> np.ndarray:
    """[out, ..., in / m, m] from [out, in, ...]."""
    last = np.moveaxis(layer, 1, -1)
    return last.reshape(*last.shape[:-1], -1, m)
