"""Whole residual blocks (Jordao et al. 2023, "When layers play the lottery, all tickets win at initialization")."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from annotated_types import Ge

if TYPE_CHECKING:  # params.yaml is checked without torch
    from torch import Tensor

    from winnow.pruning.context import Context, Scores
    from winnow.pruning.masks import Mask

TAKES_CONTEXT = True


def blocks(
    scores: "Scores",
    mask: Mapping[str, "Tensor"],
    context: "Context",
    *,
    cut: Annotated[int, Ge(1)] = 1,
    reduce: Literal["sum", "mean"] = "sum",
) -> "Mask":
    """Cut the branches of ``cut`` residual blocks, those with the lowest scores; among equal ones the first. The mask
    then holds all their weights, biases and norms at zero, so that each of these blocks passes on its inputs.

    Only blocks whose shortcut is the identity can be cut (``residual_blocks``). A block's score is the sum (``reduce:
    mean``: the mean) of the scores of its remaining weights; the paper does not say which, and the sum is our reading.

    Raises ValueError if the network has no such block, if fewer than ``cut`` are left, or if a score is NaN.
    """
    import torch

    from winnow.pruning.prune import numbers
    from winnow.pruning.residual_blocks import residual_blocks

    inputs, _ = next(iter(context.batches(1, 1)))
    found = residual_blocks(context.network, inputs)
    if not found:
        raise ValueError("structure: the network has no residual block whose shortcut is the identity; take another")
    left = [block for block in found if any(mask[name].any() for name in block.weights)]
    if cut > len(left):
        raise ValueError(f"cut: the network has {len(left)} residual blocks to cut, fewer than {cut}")
    values = []
    for block in left:
        live = [numbers(name, scores[name])[mask[name].cpu().numpy().ravel()] for name in block.weights]
        every = np.concatenate(live).astype(np.float64)
        values.append(every.sum() if reduce == "sum" else every.mean())
    chosen = {left[place] for place in np.argsort(values, kind="stable")[:cut]}
    result = {name: kept.cpu().clone() for name, kept in mask.items()}
    for block in found:
        if block in chosen or block not in left:
            for name in (*block.weights, *block.others):
                result[name] = torch.zeros(context.network.get_parameter(name).shape, dtype=torch.bool)
    return result
