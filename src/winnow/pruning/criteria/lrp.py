"""Layer-wise relevance propagation (Yeom et al. 2021, "Pruning by explaining: a novel criterion for deep neural network
pruning", sec. 3)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt

if TYPE_CHECKING:  # params.yaml is checked without torch
    from torch import Tensor, nn

    from winnow.pruning.context import Context, Scores


def lrp(
    context: "Context",
    *,
    batches: Annotated[int, Ge(1)] = 1,
    batch_size: Annotated[int, Ge(1)] = 128,
    epsilon: Annotated[float, Gt(0)] = 1e-6,
) -> "Scores":
    """How much of the logit of an image's label passes through the weight, by size: the mean over ``batches`` batches
    of ``batch_size`` images. In evaluation mode.

    Relevance goes back from the logit to the pixels; ``autograd.relevance.weight_relevance`` gives the rules. Without
    biases a layer's weights share the logit, up to ``epsilon``. The paper adds up the relevance of a filter's outputs;
    the form for single weights is ours. It also has a rule of its own for the first layer, which needs the bounds of
    the pixels; here that layer follows the rule of its kind. Raises ValueError, naming the layer, for weights of layers
    other than two-dimensional convolutions and linear ones.
    """
    from winnow.autograd.relevance import weight_relevance

    def of_batch(
        network: "nn.Module", _weights: "list[Tensor]", inputs: "Tensor", labels: "Tensor"
    ) -> "Sequence[Tensor]":
        found = weight_relevance(network, inputs, labels, epsilon)
        for name in context.mask:
            if name not in found:
                raise ValueError(f"criterion: lrp finds no relevance of {name}; it scores conv2d and linear layers")
        return [found[name] / len(inputs) for name in context.mask]

    return context.mean_over_batches(of_batch, batches, batch_size, training=False)
