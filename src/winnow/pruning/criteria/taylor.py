"""First-order Taylor expansion (Molchanov et al. 2019, "Importance estimation for neural network pruning", eq. 8)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

if TYPE_CHECKING:  # params.yaml is checked without torch
    from torch import Tensor, nn

    from winnow.pruning.context import Context, Scores


def taylor(
    context: "Context", *, batches: Annotated[int, Ge(1)] = 1, batch_size: Annotated[int, Ge(1)] = 128
) -> "Scores":
    """(g w)^2: the square of how much the loss changes, to first order, if the weight is set to zero. It is the mean
    over ``batches`` batches of ``batch_size`` images, each with its own gradient g of its mean loss.

    In evaluation mode: the criterion is meant for trained networks. The paper scores whole filters, and takes a running
    mean while the network trains.
    """
    import torch

    def squares(
        network: "nn.Module", weights: "list[Tensor]", inputs: "Tensor", labels: "Tensor"
    ) -> "Sequence[Tensor]":
        found = torch.autograd.grad(context.loss(network(inputs), labels), weights, materialize_grads=True)
        return [(weight.detach() * gradient).square() for weight, gradient in zip(weights, found, strict=True)]

    return context.mean_over_batches(squares, batches, batch_size, training=False)
