"""First-order Taylor expansion of whole filters (Molchanov et al. 2019, "Importance estimation for neural network
pruning", sec. 3.3: gates after batch norm)."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

if TYPE_CHECKING:  # params.yaml is checked without torch
    from torch import Tensor, nn

    from winnow.pruning.context import Context, Scores


def filter_taylor(
    context: "Context", *, batches: Annotated[int, Ge(1)] = 1, batch_size: Annotated[int, Ge(1)] = 128
) -> "Scores":
    """Every weight gets (dL/dz)^2, with z = 1 a factor of its filter's output, after the batch norm that directly
    follows the layer: the square of how much the loss changes, to first order, if the output is set to zero. It is the
    mean over ``batches`` batches of ``batch_size`` images, each with its own gradient of its mean loss.

    dL/dz is the sum of g w over the scale and the shift of the batch norm, or, without them, over the weights and the
    bias of the filter. In evaluation mode: the criterion is meant for trained networks. The paper takes a running mean
    while the network trains.
    """
    import torch

    from winnow.pruning.channel_groups import norms_after
    from winnow.pruning.filters import to_weights

    inputs, _ = next(iter(context.batches(1, 1)))
    after = norms_after(context.network, inputs)

    def squares(network: "nn.Module", weights: "list[Tensor]", inputs: "Tensor", labels: "Tensor") -> "list[Tensor]":
        parameters = dict(network.named_parameters())
        loss = context.loss(network(inputs), labels)
        found: Sequence[Tensor] = torch.autograd.grad(loss, list(parameters.values()), materialize_grads=True)
        changes = {
            name: (parameter.detach() * gradient).reshape(len(parameter), -1).sum(1)
            for (name, parameter), gradient in zip(parameters.items(), found, strict=True)
            if parameter.dim()
        }

        def of(name: str) -> "Tensor":
            scale = f"{after.get(name)}.weight"
            own = scale if scale in changes else name
            bias = re.sub(r"weight(?=[^.]*$)", "bias", own)
            return changes[own] + (changes[bias] if bias != own and bias in changes else 0)

        return [to_weights(of(name).square(), weight) for name, weight in zip(context.mask, weights, strict=True)]

    return context.mean_over_batches(squares, batches, batch_size, training=False)
