"""Movement pruning (Sanh et al. 2020, "Movement pruning: adaptive sparsity by fine-tuning", sec. 3 and 4)."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt, Le, Lt

from winnow.pruning.during.gradual import gradual
from winnow.pruning.during_level import During

if TYPE_CHECKING:  # params.yaml is checked without torch
    from winnow.training.loop import Changes, Run

OWN_SCORES = True  # the level takes no criterion; the scores may be below zero
BY_GRADIENTS = True  # gradients decide which weights stay


def movement(
    level: During,
    *,
    begin: Annotated[float, Ge(0), Lt(1)] = 0.0,
    end: Annotated[float, Gt(0), Le(1)] = 0.75,
    cuts: Annotated[int, Ge(1)] = 20,
) -> "Changes":
    """Prunes in cuts, as ``gradual`` does, by scores of its own: the sum of -w g over all steps of the training, with w
    the weight before a step and g the gradient of the step. A weight that moves away from zero gains.

    Scores change after a cut too: the gradient covers pruned weights, and w is then the value that the weight had when
    it was pruned. At a later cut a pruned weight may return with this value, without momentum. This is the paper's
    straight-through estimator, with the learning rate of the scores left out: it changes no order.

    The paper takes a new mask at every step; here only the cuts change it. The weights before the first step are not
    known after it, so this step's w is the weight after it. Raises ValueError if the end is not after the begin.
    """
    import torch

    from winnow.training.loop import Changes

    def prune(run: "Run", left: int) -> None:
        before = [pruned.clone() for _, pruned in run.pruned]
        level.prune(run, left, {name: run.memory[f"score.{name}"] for name in run.mask})
        for name, was, (weight, pruned) in zip(run.mask, before, run.pruned, strict=True):
            weight.copy_(torch.where(was & ~pruned, run.memory[f"weight.{name}"], weight))

    cut = gradual(replace(level, prune=prune), begin=begin, end=end, cuts=cuts)

    @torch.no_grad()
    def after_step(run: "Run") -> None:
        for name, (weight, pruned) in zip(run.mask, run.pruned, strict=True):
            assert weight.grad is not None
            known = run.memory.get(f"weight.{name}", weight)
            score = run.memory.get(f"score.{name}", torch.zeros_like(weight))
            run.memory[f"score.{name}"] = score - known * weight.grad
            run.memory[f"weight.{name}"] = torch.where(pruned, known, weight)
        cut.after_step(run)

    return Changes(after_step)
