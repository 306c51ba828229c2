"""Lottery jackpots (Zhang et al. 2021, "Lottery jackpots exist in pre-trained models")."""

from typing import TYPE_CHECKING

from winnow.pruning.during_level import During

if TYPE_CHECKING:  # params.yaml is checked without torch
    from torch import Tensor

    from winnow.training.loop import Changes, Run

HOLDS_WEIGHTS = True  # only scores train
BY_GRADIENTS = True  # gradients decide which weights stay


def lottery_jackpots(level: During) -> "Changes":
    """No weight trains. Each has a score, which does; every layer uses the weights with the highest scores.

    The level's criterion and allocation prune before the first step, and settle how many weights each layer keeps: the
    paper takes magnitude over all layers but the last, which it spares. The weights that they keep begin with a score
    of 1, the others with 0.99. The gradient of a score is g w, with w the weight and g the gradient for it, whether the
    network uses it or not (the straight-through estimator).

    The paper's bound on how many weights may change places in a step is left out: in the authors' code it is rounded
    up to all of them. The paper starts from trained weights: ``weights: trained``.
    """
    from winnow.pruning.learned_masks import learned

    def begin(run: "Run") -> "dict[str, Tensor]":
        level.prune(run, level.after)
        return {name: kept.double().clamp(min=0.99) for name, kept in run.mask.items()}

    return learned(begin)
