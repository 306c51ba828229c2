"""A network without its dead channels computes the same."""

import copy
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import winnow
from tests.direct.exported import exported
from winnow.networks import initialise
from winnow.params.training import Network
from winnow.pruning.allocations.global_ import global_
from winnow.pruning.context import Context
from winnow.pruning.criteria.filter_norm import filter_norm
from winnow.pruning.masks import Mask, count_left, ones
from winnow.pruning.structures.channels import channels

IMAGES = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def trained_like(name: str, width: int | None = None) -> nn.Module:
    """With biases, batch-norm scales, shifts and statistics as if after a training."""
    network = initialise(Network(name=name, width=width), 5, (3, 8, 8), 0).eval()
    draws = torch.Generator().manual_seed(1)
    for tensor in network.state_dict().values():
        if tensor.dim() == 1:
            tensor.add_(0.3 * torch.rand(tensor.shape, generator=draws))
    return network


def half(network: nn.Module, part: float = 0.5) -> Mask:
    given = Context(network, ones(network), lambda count, size: [(IMAGES[:size], torch.zeros(size))] * count)
    return channels(filter_norm(given), given.mask, given, round(part * count_left(given.mask)), global_)


@torch.no_grad()
def masked(network: nn.Module, mask: Mask, inputs: Tensor = IMAGES) -> Tensor:
    copied = copy.deepcopy(network)
    for name, kept in mask.items():
        copied.get_parameter(name).mul_(kept)
    return copied(inputs)


NETWORKS = [("convnet", 4), ("resnet8", 4), ("resnet20", 16), ("lenet_300_100", None), ("resnet50", 4)]


@pytest.mark.parametrize(("name", "width"), NETWORKS)
def test_it_gives_the_same_outputs_with_the_weights_that_remain(name, width):
    network = trained_like(name, width)
    before, mask = copy.deepcopy(network.state_dict()), half(network)
    found = winnow.smaller(network, mask, IMAGES[:1])
    with torch.no_grad():
        torch.testing.assert_close(found(IMAGES), masked(network, mask), rtol=1e-5, atol=1e-5)
    assert sum(found.get_parameter(layer).numel() for layer in mask) == count_left(mask)
    assert all(torch.equal(before[key], tensor) for key, tensor in network.state_dict().items())
    for layer, module in found.named_modules():
        if isinstance(module, nn.BatchNorm2d):  # what is left of it is what it was
            assert set(module.weight.tolist()) <= set(network.get_submodule(layer).weight.tolist())


def test_a_dead_channel_is_one_that_nothing_reads():
    network = trained_like("convnet", 4)
    mask = ones(network)
    mask["4.weight"][:, 1] = False  # nothing reads channel 1 of the first layer
    mask["4.weight"][2] = False  # nothing but batch norm writes channel 2 of the second
    found = winnow.smaller(network, mask, IMAGES[:1])
    assert found.get_parameter("0.weight").shape == (3, 3, 3, 3)
    assert found.get_parameter("4.weight").shape == (8, 3, 3, 3)
    with torch.no_grad():
        torch.testing.assert_close(found(IMAGES), masked(network, mask), rtol=1e-5, atol=1e-5)


def test_what_only_a_dead_channel_reads_is_dead_too():
    network = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 2))
    mask, inputs = ones(network), torch.randn(5, 2)
    mask["4.weight"][:, 0] = False
    mask["2.weight"][1:, 2] = False  # unit 2 of the first layer is read by unit 0 of the second only
    found = winnow.smaller(network, mask, inputs)
    assert [found[place].out_features for place in (0, 2, 4)] == [2, 2, 2]
    torch.testing.assert_close(found(inputs), masked(network, mask, inputs))


def test_a_layer_that_nothing_reads_keeps_one_channel():
    network = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    mask, inputs = ones(network), torch.randn(5, 2)
    mask["2.weight"][:] = False
    found = winnow.smaller(network, mask, inputs)
    assert found[0].out_features == 1
    torch.testing.assert_close(found(inputs), masked(network, mask, inputs))


def test_modes_and_fixed_parameters_stay():
    network = trained_like("convnet", 4).train()
    network[1].eval()
    network[0].weight.requires_grad_(False)
    found = winnow.smaller(network, half(network), IMAGES[:1])
    assert [module.training for module in found.modules()] == [module.training for module in network.modules()]
    assert [not parameter.requires_grad for parameter in found.parameters()] == [True] + [False] * 10
    found(IMAGES).sum().backward()  # it trains


def test_it_is_saved_and_exported(tmp_path: Path):
    network = trained_like("resnet8", 4)
    mask = half(network)
    found = winnow.smaller(network, mask, IMAGES[:1])
    save_file(found.state_dict(), tmp_path / "small.safetensors")
    other = winnow.smaller(initialise(Network(name="resnet8", width=4), 5, (3, 8, 8), 7).eval(), mask, IMAGES[:1])
    other.load_state_dict(load_file(tmp_path / "small.safetensors"))
    with torch.no_grad():
        assert torch.equal(other(IMAGES), found(IMAGES))
        torch.testing.assert_close(exported(found, IMAGES, tmp_path), masked(network, mask), rtol=1e-5, atol=1e-5)


class Written(nn.Module):
    """Has a number of channels in its forward."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.last = nn.Conv2d(3, 4, 1), nn.Linear(16, 2)

    def forward(self, images: Tensor) -> Tensor:
        return self.last(self.conv(images)[:, :, :2, :2].reshape(-1, 16))


def test_mistakes_are_told_in_one_line():
    network = Written()
    mask = ones(network)
    mask["last.weight"][:, :4] = False
    with pytest.raises(ValueError, match=r"^network: does not run without its dead channels: .*shapes"):
        winnow.smaller(network, mask, IMAGES)
    with pytest.raises(ValueError, match=r"^mask: bn.wait"):
        winnow.smaller(network, {"bn.wait": torch.ones(1, dtype=torch.bool)}, IMAGES)
    with pytest.raises(ValueError, match=r"^the channels of the network cannot be followed"):
        winnow.smaller(network, mask, torch.zeros(1, 2, 8, 8))
