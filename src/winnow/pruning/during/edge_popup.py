"""Edge-popup (Ramanujan et al. 2020, "What's hidden in a randomly weighted neural network?", sec. 3)."""

import math
from typing import TYPE_CHECKING

from winnow.pruning.during_level import During

if TYPE_CHECKING:  # params.yaml is checked without torch
    from torch import Tensor

    from winnow.training.loop import Changes, Run

OWN_SCORES = True  # the level takes no criterion
HOLDS_WEIGHTS = True  # only scores train
BY_GRADIENTS = True  # gradients decide which weights stay


def edge_popup(level: During, *, signed_constant: bool = True) -> "Changes":
    """No weight trains. Each has a score, which does; every layer uses the weights whose scores are largest by size.

    Scores begin uniform, between -1 / sqrt(n) and 1 / sqrt(n), where n is the number of inputs of an output. How many
    weights a layer keeps is settled before the first step: the allocation sees draws that are uniform from 0 to 1. The
    paper keeps the same fraction of every layer: ``allocation: uniform``.

    signed_constant: every weight is first replaced by its sign times sqrt(2 / (d n)), with d the layer's density: the
    paper's signed Kaiming constant, for the inputs that remain. (The authors' code has 1 - d for d, which is the same
    where half of the weights stay.) Otherwise the weights are those with which the level begins.

    The gradient of a score s is sign(s) g w, with w the weight and g the gradient for it, whether the network uses it
    or not: the straight-through estimator through the size of s, as in the authors' code.
    """
    import torch

    from winnow.pruning.learned_masks import learned
    from winnow.streams import numpy_stream

    def begin(run: "Run") -> "dict[str, Tensor]":
        number = {name: i for i, name in enumerate(sorted(run.mask))}
        draws = {
            name: torch.from_numpy(numpy_stream(run.seed, "mask_scores", number[name]).uniform(-1, 1, kept.shape))
            for name, kept in run.mask.items()
        }
        level.prune(run, level.after, {name: draw.abs() for name, draw in draws.items()})
        for name, kept in run.mask.items():
            if signed_constant:
                constant = math.sqrt(2 * len(kept) / max(int(kept.sum()), 1))
                run.memory[f"weight.{name}"].sign_().mul_(constant)
        return {name: draw / math.sqrt(draw[0].numel()) for name, draw in draws.items()}

    return learned(begin, by_size=True)
