"""Hessian-aware pruning (Yu et al. 2022, "Hessian-aware pruning and optimal neural implant", eq. 9)."""

from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge

from winnow.streams import numpy_stream

if TYPE_CHECKING:  # params.yaml is checked without torch
    from torch import Tensor

    from winnow.pruning.context import Context, Scores


def hessian(
    context: "Context",
    *,
    batches: Annotated[int, Ge(1)] = 1,
    batch_size: Annotated[int, Ge(1)] = 128,
    probes: Annotated[int, Ge(1)] = 10,
    group: Literal["filter", "weight"] = "filter",
) -> "Scores":
    """w^2 / 2 times the mean diagonal entry of the Hessian over the remaining weights of the filter, which are the
    weights of one output. The sum over a filter's p weights is the paper's score, trace(H) |w|^2 / (2 p); that
    formula is from memory, not checked against the paper. ``group: weight`` takes the weight's own diagonal entry.

    The entries are means of v H v over ``probes`` vectors v of random signs (Hutchinson). A negative mean counts as 0.
    In evaluation mode, over ``batches`` batches of ``batch_size`` images. The cost is about three training steps for
    each batch and probe.
    """
    diagonal = hessian_diagonal(context, batches, batch_size, probes)
    scores = {}
    for name, weight in context.weights.items():
        entries = diagonal[name]
        if group == "filter":
            rows = entries.flatten(1)
            live = context.mask[name].to(rows.device).flatten(1).sum(1).clamp_min(1)
            entries = (rows.sum(1) / live).view(-1, *[1] * (weight.dim() - 1))
        scores[name] = weight.square() / 2 * entries.clamp_min(0)
    return scores


def hessian_diagonal(context: "Context", batches: int, batch_size: int, probes: int) -> "dict[str, Tensor]":
    """An unbiased estimate of the diagonal of the Hessian over the remaining weights, 0 for the others."""
    from winnow.pruning.second_order import hessian_product

    total = {name: weight * 0 for name, weight in context.weights.items()}
    for probe in range(probes):
        vector = signs(context, probe)
        product = hessian_product(context, vector, batches, batch_size, training=False)
        total = {name: sum_ + vector[name] * product[name] / probes for name, sum_ in total.items()}
    return total


def signs(context: "Context", probe: int) -> "dict[str, Tensor]":
    """Random signs for the remaining weights, 0 for the others. Layers draw in the alphabetical order of names."""
    import torch

    draws = numpy_stream(context.seed, "scoring", 2, probe)
    found = {}
    for name in sorted(context.mask):
        kept, like = context.mask[name], context.network.get_parameter(name)
        drawn = torch.from_numpy(draws.integers(0, 2, tuple(kept.shape)) * 2.0 - 1) * kept
        found[name] = drawn.to(like.device, like.dtype)
    return {name: found[name] for name in context.mask}
