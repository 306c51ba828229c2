"""GraSP (Wang, Zhang, Grosse 2020, "Picking winning tickets before training by preserving gradient flow", eq. 8)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt

if TYPE_CHECKING:  # params.yaml is checked without torch
    from torch import Tensor, nn

    from winnow.pruning.context import Context, Scores


def grasp(
    context: "Context",
    *,
    batches: Annotated[int, Ge(1)] = 1,
    batch_size: Annotated[int, Ge(1)] = 128,
    temperature: Annotated[float, Gt(0)] = 200.0,
    absolute: bool = False,
) -> "Scores":
    """w H g: how much the squared norm of the gradient g falls, to first order, if the weight is set to zero, up to a
    factor. So the weights that go first are those whose removal raises it most. H is the Hessian over the remaining
    weights. The paper's score is S = -w H g, of which it prunes the highest.

    The loss is the mean over ``batches`` batches of ``batch_size`` images, with the logits divided by ``temperature``.
    In training mode: batch norm normalises by each batch's own statistics. The paper draws 10 to 25 images of each
    class; here they are any images. absolute: score |w H g| instead, which Frankle et al. 2021, "Pruning neural
    networks at initialization: why are we missing the mark?", find to be better.
    """
    import torch

    from winnow.autograd.double_backward import CheapSecondDerivatives

    def gradients(
        network: "nn.Module", weights: "list[Tensor]", inputs: "Tensor", labels: "Tensor", again: bool = False
    ) -> "Sequence[Tensor]":
        with CheapSecondDerivatives():
            loss = context.loss(network(inputs) / temperature, labels)
        return torch.autograd.grad(loss, weights, create_graph=again, materialize_grads=True)

    mean = context.mean_over_batches(gradients, batches, batch_size, training=True)
    live = [gradient * context.mask[name].to(gradient.device) for name, gradient in mean.items()]

    def products(
        network: "nn.Module", weights: "list[Tensor]", inputs: "Tensor", labels: "Tensor"
    ) -> "Sequence[Tensor]":
        found = gradients(network, weights, inputs, labels, again=True)
        varying = [(one, vector) for one, vector in zip(found, live, strict=True) if one.requires_grad]
        outputs, vectors = zip(*varying, strict=True)
        return torch.autograd.grad(outputs, weights, vectors, materialize_grads=True)

    curved = context.mean_over_batches(products, batches, batch_size, training=True)
    scores = {name: weight * curved[name] for name, weight in context.weights.items()}
    return {name: score.abs() for name, score in scores.items()} if absolute else scores
