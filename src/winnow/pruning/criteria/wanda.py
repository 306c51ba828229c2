"""Wanda (Sun et al. 2024, "A simple and effective pruning approach for large language models", eq. 1)."""

from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge

if TYPE_CHECKING:  # params.yaml is checked without torch
    from torch import Tensor, nn

    from winnow.pruning.context import Context, Scores


def wanda(
    context: "Context",
    *,
    batches: Annotated[int, Ge(1)] = 1,
    batch_size: Annotated[int, Ge(1)] = 128,
    compare: Literal["rows", "layer"] = "rows",
) -> "Scores":
    """|w| times the norm of the inputs that it meets, over ``batches`` batches of ``batch_size`` images and, in a
    convolution, over all positions (padding counts as zeros). Labels are not used. In evaluation mode.

    compare: rows turns the scores into ranks among the remaining weights of one output, from above 0 to 1. So each
    output of a layer keeps the same fraction, as in the paper. layer leaves the scores as they are: they compare within
    a layer, and take an allocation other than ``global``, as inputs of different layers differ in scale.

    The paper has linear layers only; the form for convolutions is ours. All inputs come from the
    unpruned network. The paper prunes one block after the other, and takes inputs from the blocks pruned before.

    Raises ValueError, naming the layer, for weights of other layers.
    """
    from winnow.autograd.input_norms import input_squares

    def squares(network: "nn.Module", inputs: "Tensor") -> "dict[str, Tensor]":
        return {name: sums / len(inputs) for name, sums in input_squares(network, inputs).items()}

    inputs = context.mean_of_layers(squares, "wanda", batches, batch_size)
    scores = {name: weight.abs() * inputs[name].sqrt() for name, weight in context.weights.items()}
    if compare == "layer":
        return scores
    return {name: ranks(layer, context.mask[name].to(layer.device)) for name, layer in scores.items()}


def ranks(scores: "Tensor", live: "Tensor") -> "Tensor":
    """The rank of each score among the m live ones of its row, from 1 / m for the lowest to 1; 0 where not live. Among
    equal scores the later are higher. Rows are along the first dimension."""
    flat, kept = scores.flatten(1), live.flatten(1)
    places = flat.masked_fill(~kept, -1).argsort(dim=1, stable=True).argsort(dim=1)  # what is not live comes first
    m = kept.sum(1, keepdim=True)
    rank = (places - (kept.shape[1] - m) + 1) / m.clamp_min(1)
    return rank.masked_fill(~kept, 0).reshape(scores.shape)
