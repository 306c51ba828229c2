"""What the tests of criteria score: small networks, and batches by hand."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from tests.training.small import CLASSES, NETWORK, on_device, pictures
from winnow.networks import initialise
from winnow.pruning.context import Context, batches_of
from winnow.pruning.masks import Mask, apply, ones

IMAGES = on_device(pictures())


def context(network: nn.Module, seed: int = 0, mask: Mask | None = None) -> Context:
    """Of the network, moved to the chosen device, with zeros where the mask has pruned, and the images of the training
    tests."""
    network.to(IMAGES.device)
    if mask is not None:
        network.load_state_dict(apply(network.state_dict(), mask))
    return Context(network, ones(network) if mask is None else mask, batches_of(IMAGES, seed), seed)


def in_double(count: int, size: int) -> list[tuple[Tensor, Tensor]]:
    """The same batches as in ``context``, in double precision on the CPU, for what is computed by hand."""
    return [(inputs.cpu().double(), labels.cpu()) for inputs, labels in batches_of(IMAGES, 0)(count, size)]


def trained_like() -> nn.Module:
    """A network with batch norm, whose statistics, scales and shifts are not those of the initialisation."""
    network = initialise(NETWORK, CLASSES, (2, 6, 6), 3)
    draws = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for norm in network.modules():
            if isinstance(norm, nn.BatchNorm2d):
                for tensor in (norm.weight, norm.bias, norm.running_mean):
                    tensor.add_(0.3 * torch.randn(tensor.shape, generator=draws))
                norm.running_var.mul_(1 + torch.rand(norm.running_var.shape, generator=draws))
    return network.to(IMAGES.device)


def random_mask(network: nn.Module, density: float = 0.7, seed: int = 0) -> Mask:
    draws = torch.Generator().manual_seed(seed)
    return {name: torch.rand(layer.shape, generator=draws) < density for name, layer in ones(network).items()}


def by_hand(network: nn.Module, inputs: Tensor, labels: Tensor, loss: Callable[[Tensor, Tensor], Tensor]) -> Context:
    """The same batch again and again."""
    return Context(network, ones(network), lambda count, size: [(inputs, labels)] * count, loss=loss)


def two_layers() -> nn.Sequential:
    """[[1, -2], [3, 0.5]], then [[2, -1]]; linear."""
    network = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 1, bias=False))
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[1.0, -2.0], [3.0, 0.5]]))
        network[1].weight.copy_(torch.tensor([[2.0, -1.0]]))
    return network


def half_square(outputs: Tensor, _labels: Tensor) -> Tensor:
    return outputs.square().sum() / 2
