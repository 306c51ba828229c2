"""Masks that are learned while the weights stay as they are: each weight has a score, which trains in its place.

A network uses the weights with the highest scores of each layer, and the loss has a gradient g with respect to every
weight w, pruned ones too. The straight-through estimator takes a mask's gradient g w for that of what it ranks.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from winnow.pruning.prune import numbers
from winnow.training.loop import Changes, Run
from winnow.training.optimisers import Weights


def highest(values: Tensor, count: int) -> Tensor:
    """Which are the ``count`` highest of the values, bool in their shape; among equal ones the last in row-major order,
    as ``layers.lowest`` has it. Takes linear time, on the values' device."""
    if count == 0:
        return torch.zeros_like(values, dtype=torch.bool)
    flat = values.flatten()
    threshold = flat.kthvalue(len(flat) - count + 1).values
    above, equal = flat > threshold, flat == threshold
    last = equal.flip(0).cumsum(0).flip(0) <= count - above.sum()
    return (above | (equal & last)).view(values.shape)


def learned(begin: Callable[[Run], Mapping[str, Tensor]], by_size: bool = False) -> Changes:
    """The changes of a run whose scores train in place of its weights.

    begin: prunes the run, and gives the first score of every weight, by name. From then on each layer keeps as many
    weights as it has after that: those with the highest scores among the weights with which the run began. It may give
    the weights other values, which they then keep. by_size: whether scores rank by their size; their gradients then
    have their signs.

    The run's memory has ``score``, ``weight`` (the values of all weights, pruned ones too) and ``candidate`` (whether
    the run began with the weight). Nothing else trains: batch norm keeps its scales and shifts, and follows the
    statistics of the batches. A step raises ValueError if a score is NaN.
    """

    @torch.no_grad()
    def begun(run: Run) -> None:
        for name, (weight, pruned) in zip(run.mask, run.pruned, strict=True):
            run.memory[f"weight.{name}"] = weight.detach().clone()
            run.memory[f"candidate.{name}"] = ~pruned
        for name, score in begin(run).items():
            weight = run.network.get_parameter(name)
            run.memory[f"score.{name}"] = torch.empty_like(weight).copy_(score)
        choose(run)

    def trained(run: Run) -> Weights:
        scores = {}
        for name, (weight, _) in zip(run.mask, run.pruned, strict=True):
            if weight.grad is not None:
                score = nn.Parameter(run.memory[f"score.{name}"])  # which shares its memory
                gradient = weight.grad * run.memory[f"weight.{name}"]
                score.grad = gradient * score.sign() if by_size else gradient
                scores[name] = score
        return scores

    @torch.no_grad()
    def choose(run: Run) -> None:
        mask = {}
        for (name, kept), (weight, pruned) in zip(run.mask.items(), run.pruned, strict=True):
            score = run.memory[f"score.{name}"]
            numbers(name, score)  # raises if one is not a number
            values = score.abs() if by_size else score
            values = values.masked_fill(~run.memory[f"candidate.{name}"], -torch.inf)
            chosen = highest(values, int(kept.sum()))
            pruned.copy_(~chosen)
            weight.copy_(run.memory[f"weight.{name}"].masked_fill(pruned, 0))
            mask[name] = chosen.cpu()
        run.mask = mask

    return Changes(choose, trained, begun)
