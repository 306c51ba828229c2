"""Optimal brain damage with the diagonal of the Fisher matrix (LeCun, Denker, Solla 1989, "Optimal brain damage",
eq. 5; the Fisher matrix in place of the Hessian as in Theis et al. 2018, "Faster gaze prediction with dense networks
and Fisher pruning")."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

if TYPE_CHECKING:  # params.yaml is checked without torch
    from torch import Tensor, nn

    from winnow.pruning.context import Context, Scores


def obd(context: "Context", *, batches: Annotated[int, Ge(1)] = 1, batch_size: Annotated[int, Ge(1)] = 128) -> "Scores":
    """w^2 / 2 times the mean over images n of g_n^2, with g_n the gradient of the loss of image n alone: how much the
    loss rises, to second order, if the weight is set to zero in a trained network.

    The Fisher matrix is the empirical one, with the labels of the images. In evaluation mode. Raises ValueError, naming
    the layer, for weights whose gradients of single images have no formula (``autograd.weight_calls``).
    """
    from winnow.pruning.single_images import each_gradient

    def squares(
        network: "nn.Module", weights: "list[Tensor]", inputs: "Tensor", labels: "Tensor"
    ) -> "Sequence[Tensor]":
        total = {name: weight.detach() * 0 for name, weight in zip(context.mask, weights, strict=True)}
        each_gradient(
            context, network, inputs, labels, lambda name, found: total[name].add_(found.square().sum(0) / len(inputs))
        )
        return list(total.values())

    fisher = context.mean_over_batches(squares, batches, batch_size, training=False)
    return {name: weight.square() * fisher[name] / 2 for name, weight in context.weights.items()}
