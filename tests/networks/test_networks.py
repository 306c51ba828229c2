"""The architectures: published parameter counts, output shapes, and weights that belong to their seed."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d

from winnow.networks import build, initialise
from winnow.networks.resnet import _conv
from winnow.params.training import Network

CIFAR = (3, 32, 32)


def _parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


# By hand, of width 16: the first layer; two convolutions of each block; batch norms; the last layer
AIRBENCH = (
    4 * 3 * 16 + 9 * (2 * 16 * 16 + 16 * 64 + 64 * 64 + 64 * 128 + 128 * 128) + 2 * (3 * 16 + 2 * 64 + 2 * 128) + 1290
)


# With projections the counts lie a little above those of option A (269,722 and 853,018); each projection adds
# 16*32 + 2*32 and 32*64 + 2*64 weights. The others: kuangliu/pytorch-cifar's ResNets, LeCun et al. 1998.
@pytest.mark.parametrize(
    ("name", "shape", "count"),
    [
        ("resnet20", CIFAR, 269_722 + 576 + 2176),
        ("resnet56", CIFAR, 853_018 + 576 + 2176),
        ("resnet18", CIFAR, 11_173_962),
        ("resnet50", CIFAR, 23_520_842),
        ("lenet_300_100", (1, 28, 28), 266_610),
        ("airbench", CIFAR, AIRBENCH),
    ],
)
def test_parameter_counts_are_the_published_ones(name: str, shape: tuple[int, int, int], count: int) -> None:
    with torch.device("meta"):
        assert _parameters(build(Network(name=name), 10, shape)) == count


@pytest.mark.parametrize("name", ["resnet8", "resnet18", "resnet50", "lenet_300_100", "convnet"])
@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), CIFAR])
def test_logits_have_one_row_per_image_and_one_column_per_class(name: str, shape: tuple[int, int, int]) -> None:
    width = None if name.startswith("lenet") else 2
    network = build(Network(name=name, width=width), 7, shape).eval()
    assert network(torch.zeros(2, *shape)).shape == (2, 7)


@pytest.mark.parametrize("name", ["resnet8", "lenet_300_100", "convnet"])
def test_weights_belong_to_the_seed_whatever_was_drawn_before(name: str) -> None:
    def weights(seed: int) -> dict[str, torch.Tensor]:
        return initialise(Network(name=name), 10, (1, 8, 8), seed).state_dict()

    first = weights(3)
    torch.rand(5)
    before = torch.get_rng_state()
    second, other = weights(3), weights(4)
    assert torch.equal(before, torch.get_rng_state())  # the caller's own stream is left as it was
    assert all(np.array_equal(first[key].numpy(), second[key].numpy()) for key in first)
    assert not all(torch.equal(first[key], other[key]) for key in first)


def test_convolutions_have_he_variance() -> None:
    network = initialise(Network(name="resnet20", width=32), 10, CIFAR, 0)
    convolutions = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    assert len(convolutions) == 19 + 2
    for layer in convolutions:
        draws = layer.weight.numel()
        variance = layer.weight.double().var().item() * layer.in_channels * layer.kernel_size[0] ** 2 / 2
        assert abs(variance - 1) < 5 * (2 / draws) ** 0.5  # five standard deviations of a sample variance


def test_depth_counts_layers_with_weights() -> None:
    network = build(Network(name="resnet32"), 10, CIFAR)
    layers = [
        m
        for m in network.modules()
        if isinstance(m, nn.Linear) or (isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3))
    ]
    assert len(layers) == 32  # the projections are not counted


@pytest.mark.parametrize(
    ("name", "width", "shape", "message"),
    [
        ("lenet_300_100", 4, (1, 8, 8), "width: lenet_300_100 has no width"),
        ("convnet", None, (1, 3, 9), "name: convnet takes images of 4x4"),
        ("airbench", None, (3, 8, 9), "name: airbench takes images of 9x9"),
        ("torchvision:resnet18", 8, CIFAR, "width: torchvision:resnet18 has no width"),
        ("torchvision:resnet81", None, CIFAR, "did you mean resnet18"),
        ("torchvision:resnet18", None, (1, 32, 32), "3 channels, not 1"),
        ("torchvision:alexnet", None, CIFAR, "does not take images of 32x32"),
        ("torchvision:vit_b_16", None, (3, 30, 30), "does not take images of 30x30"),
        ("torchvision:vit_b_16", None, (3, 16, 32), "takes square images"),
        ("torchvision:fcn_resnet50", None, CIFAR, "no classifier 'fcn_resnet50'"),
    ],
)
def test_mistakes_are_named(name: str, width: int | None, shape: tuple[int, int, int], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        build(Network(name=name, width=width), 10, shape)
    assert "\n" not in str(caught.value)


def test_torchvision_classifiers_are_seeded_too() -> None:
    params = Network(name="torchvision:shufflenet_v2_x0_5")
    first, second = (initialise(params, 4, CIFAR, 1) for _ in range(2))
    assert first.training
    assert first(torch.zeros(2, *CIFAR)).shape == (2, 4)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_our_own_architectures_do_not_load_torchvision() -> None:
    code = (
        "import sys; from winnow.networks import initialise; from winnow.params.training import Network;"
        "initialise(Network(name='convnet'), 10, (1, 8, 8), 0); sys.exit('torchvision' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_convnet_learns_the_digits() -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = torch.tensor(digits.images[:, None] / 16 - 0.3, dtype=torch.float32)
    labels = torch.tensor(digits.target)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    train, test = order[:1400], order[1400:]
    network = initialise(Network(name="convnet"), 10, (1, 8, 8), 0)
    optimiser = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    for epoch in range(10):
        shuffled = train[torch.randperm(len(train), generator=torch.Generator().manual_seed(epoch + 1))]
        for batch in shuffled.split(100):
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(images[batch]), labels[batch]).backward()
            optimiser.step()
    network.eval()
    with torch.no_grad():
        accuracy = (network(images[test]).argmax(1) == labels[test]).float().mean().item()
    assert accuracy > 0.97


@pytest.mark.parametrize("channels", [2, 3, 12])
def test_a_projection_of_few_channels_is_a_strided_convolution(channels):
    """Where oneDNN's own, in channels-last memory, would write where it must not."""
    projection = _conv(channels, 5, kernel=1, stride=2)
    inputs = torch.rand(2, channels, 7, 6)
    weight = projection.weight.detach().double().requires_grad_()
    precise = inputs.double().requires_grad_()
    expected = conv2d(precise, weight, stride=2)
    inputs = inputs.to(memory_format=torch.channels_last).requires_grad_()
    output = projection.to(memory_format=torch.channels_last)(inputs)
    torch.testing.assert_close(output.double(), expected)
    found = torch.autograd.grad(output.square().sum(), (inputs, projection.weight))
    for one, other in zip(found, torch.autograd.grad(expected.square().sum(), (precise, weight)), strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-5, atol=1e-5)
