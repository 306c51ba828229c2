"""Networks of so few weights that their Hessian fits in a matrix, and that matrix, by torch's own means."""

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from winnow.landscape.live import gather, live_entries, scatter
from winnow.training.batches import DeviceImages, normalise

CLASSES, SHAPE = 3, (2, 6, 6)
Network = TypeVar("Network", bound=nn.Module)


def images(count: int = 20, seed: int = 0) -> DeviceImages:
    """Noise, and labels at random."""
    draws = torch.Generator().manual_seed(seed)
    return DeviceImages(
        pixels=torch.randint(256, (count, *SHAPE), generator=draws, dtype=torch.uint8),
        labels=torch.randint(CLASSES, (count,), generator=draws),
        scale=torch.full((1, 2, 1, 1), 1 / 80),
        shift=torch.full((1, 2, 1, 1), -1.6),
    )


def smooth() -> nn.Module:
    """Fully connected, tanh."""
    return _used(nn.Sequential(nn.Flatten(), nn.Linear(72, 3), nn.Tanh(), nn.Linear(3, CLASSES)))


class Branching(nn.Module):
    """Rectifiers, and every way in which convolutions and batch norm meet: with and without bias and stride, in groups,
    a convolution whose output has two uses, one that is changed in place before batch norm, a rectifier in between."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3, stride=2, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(4)
        self.grouped = nn.Conv2d(4, 4, 3, padding="same", groups=2)
        self.bn_plain = nn.BatchNorm2d(4, affine=False)
        self.twice = nn.Conv2d(4, 4, (1, 3), padding=(0, 1), groups=2)
        self.bn_twice = nn.BatchNorm2d(4)
        self.changed = nn.Conv2d(4, 2, 2, dilation=2)
        self.bn_changed = nn.BatchNorm2d(2)
        self.linear = nn.Linear(2, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.bn(self.first(x)))
        x = functional.relu(self.bn_plain(self.grouped(x)))
        twice = self.twice(x)
        x = x + functional.relu(self.bn_twice(twice)) * twice
        x = self.bn_changed(functional.relu(self.changed(x), inplace=True))
        return self.linear(torch.tanh(x).mean((2, 3)))


def rectified() -> Branching:
    network = _used(Branching())
    with torch.no_grad():
        network.changed.bias -= 1.1  # for outputs of either sign
    return network


def _used(network: Network) -> Network:
    """In double precision, with weights and statistics that are nowhere at 0 or 1."""
    draws = torch.Generator().manual_seed(1)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.running_mean is not None
            assert layer.running_var is not None
            layer.running_mean.normal_(0, 0.3, generator=draws)
            layer.running_var.uniform_(0.5, 2, generator=draws)
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(torch.randn(weight.shape, generator=draws) * (0.5 if weight.dim() > 1 else 0.3))
    return network.double().eval()


def some_mask(network: nn.Module) -> dict[str, Tensor]:
    """Two thirds of the weights of convolutions and linear layers."""
    draws = torch.Generator().manual_seed(2)
    return {
        name: torch.rand(weight.shape, generator=draws) < 2 / 3
        for name, weight in network.named_parameters()
        if weight.dim() > 1
    }


def exact_hessian(network: nn.Module, data: DeviceImages, live: dict[str, Tensor] | None = None) -> Tensor:
    """[size, size] over the live entries, by torch.autograd.functional.hessian."""
    live = live or live_entries(network, {})
    weights = {name: weight.detach() for name, weight in network.named_parameters()}
    inputs = normalise(data.pixels, data).double()

    def loss(vector: Tensor) -> Tensor:
        chosen = {name: torch.where(live[name], part, weights[name]) for name, part in scatter(vector, live).items()}
        return functional.cross_entropy(torch.func.functional_call(network, weights | chosen, (inputs,)), data.labels)

    return torch.autograd.functional.hessian(loss, gather(weights, live))
