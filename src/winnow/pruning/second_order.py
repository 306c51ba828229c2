"""Products of the Hessian of a context's loss with vectors."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from winnow.autograd.double_backward import CheapSecondDerivatives
from winnow.pruning.context import Context


def gradient(context: Context, count: int, size: int, *, training: bool, temperature: float = 1.0) -> dict[str, Tensor]:
    """The gradient of the mean loss over ``count`` batches of ``size`` images with respect to the remaining weights,
    0 for the others. The logits are divided by the temperature."""

    def of_batch(network: nn.Module, weights: list[Tensor], inputs: Tensor, labels: Tensor) -> Sequence[Tensor]:
        loss = _loss(context, network, inputs, labels, temperature)
        return torch.autograd.grad(loss, weights, materialize_grads=True)

    return _live(context, context.mean_over_batches(of_batch, count, size, training))


def hessian_product(
    context: Context,
    vector: Mapping[str, Tensor],
    count: int,
    size: int,
    *,
    training: bool,
    temperature: float = 1.0,
) -> dict[str, Tensor]:
    """The product of a vector, which must be 0 at pruned weights, with the Hessian of the same loss over the remaining
    weights. Exact up to rounding: the gradient of the gradient's product with the vector."""

    def of_batch(network: nn.Module, weights: list[Tensor], inputs: Tensor, labels: Tensor) -> Sequence[Tensor]:
        loss = _loss(context, network, inputs, labels, temperature)
        found = torch.autograd.grad(loss, weights, create_graph=True, materialize_grads=True)
        varying = [(one, part) for one, part in zip(found, vector.values(), strict=True) if one.requires_grad]
        outputs, parts = zip(*varying, strict=True)
        return torch.autograd.grad(outputs, weights, parts, materialize_grads=True)

    return _live(context, context.mean_over_batches(of_batch, count, size, training))


def _loss(context: Context, network: nn.Module, inputs: Tensor, labels: Tensor, temperature: float) -> Tensor:
    # of the ways to compute attention, only the plain one has second derivatives
    with CheapSecondDerivatives(), sdpa_kernel(SDPBackend.MATH):
        return context.loss(network(inputs) / temperature, labels)


def _live(context: Context, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor * context.mask[name].to(tensor.device) for name, tensor in tensors.items()}
