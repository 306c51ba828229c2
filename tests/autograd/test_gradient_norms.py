"""Gradient norms of single examples against autograd, one backward pass per example, in double precision."""

import copy
import re
from collections.abc import Callable
from unittest import mock

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from winnow.autograd.gradient_norms import gradient_norms
from winnow.autograd.layer_norms import ENTRY_COST
from winnow.networks import initialise
from winnow.params.training import Network


def _one_by_one(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """The definition itself, in float64."""
    network = copy.deepcopy(network).double().eval()
    weights = [w for w in network.parameters() if w.requires_grad]
    norms = []
    for image, label in zip(inputs.double().split(1), targets.split(1), strict=True):
        loss = functional.cross_entropy(network(image), label)
        gradients = torch.autograd.grad(loss, weights, allow_unused=True)
        norms.append(torch.cat([g.flatten() for g in gradients if g is not None]).norm())
    return torch.stack(norms)


def _used(network: nn.Module) -> nn.Module:
    """As if trained: statistics and weights that a fresh network has at 0 or 1 are drawn at random."""
    generator = torch.Generator().manual_seed(1)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            assert layer.running_mean is not None
            assert layer.running_var is not None
            layer.running_mean.normal_(0, 0.3, generator=generator)
            layer.running_var.uniform_(0.5, 2, generator=generator)
    for weight in network.parameters():
        if weight.dim() == 1:
            with torch.no_grad():
                weight.add_(0.2 * torch.randn(weight.shape, generator=generator))
    return network


def _check(network: nn.Module, shape: tuple[int, ...], n: int = 3, classes: int = 5, single: bool = True) -> None:
    generator = torch.Generator().manual_seed(2)
    inputs, targets = torch.randn(n, *shape, generator=generator), torch.arange(n) % classes
    network = _used(network)
    expected = _one_by_one(network, inputs, targets)
    assert expected.min() > 1e-3  # else autograd's own p_y - 1, which is not computed as here, has lost its digits
    double = gradient_norms(copy.deepcopy(network).double(), inputs.double(), targets)
    torch.testing.assert_close(double, expected, rtol=1e-9, atol=0)  # the formulas
    if single:
        norms = gradient_norms(network, inputs, targets)
        assert norms.dtype == torch.float32
        torch.testing.assert_close(norms.double(), expected, rtol=1e-5, atol=0)  # and their rounding


class _Residual(nn.Module):
    """A branch added to its own input."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.branch = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x)


class _Tokens(nn.Module):
    """An image [n, c, h, w] as tokens [n, h * w, c]."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(2).transpose(1, 2)


def _head(features: int) -> list[nn.Module]:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(features, 5)]


@pytest.mark.parametrize(
    ("name", "width", "shape"),
    [
        ("convnet", 4, (1, 8, 8)),
        ("lenet_300_100", None, (1, 8, 8)),
        ("resnet8", 4, (3, 16, 16)),
        ("resnet18", 4, (3, 32, 32)),
        ("resnet50", 2, (3, 16, 16)),
    ],
)
def test_own_architectures(name: str, width: int | None, shape: tuple[int, int, int]) -> None:
    network = initialise(Network(name=name, width=width), 5, shape, seed=0)
    if name == "resnet50":
        with torch.no_grad():
            network.linear.weight.mul_(1e-3)  # its logits are in the thousands before training
    _check(network, shape)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_convolutions_of_every_shape(data: st.DataObject) -> None:
    """Each by the way of summing that is cheapest, and with that choice bent to sum over entries, or over pairs."""

    def draw(low: int, high: int) -> int:
        return data.draw(st.integers(low, high))

    groups = draw(1, 3)
    channels, out = groups * draw(1, 24), groups * draw(1, 24)
    kernel, padding, dilation = ((draw(*r), draw(*r)) for r in ((1, 4), (0, 3), (1, 3)))
    stride = data.draw(st.sampled_from([(1, 1), (1, 1), (1, 2), (2, 2), (3, 2)]))
    least = [max(1, d * (k - 1) + 1 - 2 * p) for k, p, d in zip(kernel, padding, dilation, strict=True)]
    height, width = least[0] + draw(0, 9), least[1] + draw(0, 9)
    bias, entry_cost = data.draw(st.booleans()), data.draw(st.sampled_from([ENTRY_COST, 10**9, -(10**9)]))
    with mock.patch("winnow.autograd.layer_norms.ENTRY_COST", entry_cost), torch.random.fork_rng(devices=[]):
        torch.manual_seed(draw(0, 99))
        first = nn.Conv2d(channels, out, kernel, stride, padding, dilation, groups, bias)
        _check(nn.Sequential(first, nn.Tanh(), *_head(out)), (channels, height, width), single=False)


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "batch_norm_of_features": (
        lambda: nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 5)),
        (6,),
    ),
    "linear_over_many_positions": (lambda: nn.Sequential(nn.Linear(4, 3), nn.Flatten(), nn.Linear(30, 5)), (10, 4)),
    "linear_over_few_positions": (
        lambda: nn.Sequential(nn.Linear(300, 300), nn.Flatten(), nn.Linear(600, 5)),
        (2, 300),
    ),
    "layer_norm": (lambda: nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.Flatten(), nn.Linear(16, 5)), (2, 6)),
    "group_norm": (lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8), *_head(8)), (3, 6, 6)),
    "padding_by_name": (
        lambda: nn.Sequential(
            nn.Conv2d(3, 6, (5, 4), padding="same", dilation=(2, 1)),
            nn.Tanh(),
            nn.Conv2d(6, 4, 2, padding="valid"),
            *_head(4),
        ),
        (3, 5, 7),
    ),
    "reflected_padding": (
        lambda: nn.Sequential(nn.Conv2d(3, 6, 3, padding=1, padding_mode="reflect"), *_head(6)),
        (3, 5, 5),
    ),
    "branches_and_dropout": (
        lambda: nn.Sequential(
            _Residual(nn.Conv2d(3, 3, 3, padding=1), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Conv2d(3, 3, 1)),
            *_head(3),
        ),
        (3, 6, 6),
    ),
    "attention": (
        lambda: nn.Sequential(
            _Tokens(),
            nn.TransformerEncoderLayer(8, 2, 12, dropout=0.1, batch_first=True, norm_first=True),
            nn.Flatten(),
            nn.Linear(72, 5),
        ),
        (8, 3, 3),
    ),
}


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("name", NETWORKS)
def test_layers(name: str) -> None:
    construct, shape = NETWORKS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        _check(construct(), shape)


def test_torchvision_vision_transformer_and_convnext() -> None:
    """Both use weights outside of any layer: class token and positional embedding, scales of the branches."""
    from torchvision.models.convnext import CNBlockConfig, ConvNeXt
    from torchvision.models.vision_transformer import VisionTransformer

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        transformer = VisionTransformer(8, 4, 2, 2, 12, 16, num_classes=5)
        nn.init.normal_(transformer.heads.head.weight)  # zero in a fresh one: then no other weight has a gradient
        _check(transformer, (3, 8, 8))
        _check(ConvNeXt([CNBlockConfig(6, 8, 1), CNBlockConfig(8, None, 1)], num_classes=5), (3, 16, 16))


def test_sums_in_tiles_of_a_few_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winnow.autograd.layer_norms.TILE_BYTES_OF_PROCESSOR", 1)
    _check(initialise(Network(name="resnet8", width=4), 5, (3, 16, 16), seed=0), (3, 16, 16), n=7)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_any_memory_format(memory_format: torch.memory_format) -> None:
    network = initialise(Network(name="resnet8", width=4), 5, (3, 16, 16), seed=0).to(memory_format=memory_format)
    inputs, targets = torch.randn(4, 3, 16, 16).contiguous(memory_format=memory_format), torch.arange(4)
    torch.testing.assert_close(
        gradient_norms(network, inputs, targets).double(), _one_by_one(network, inputs, targets), rtol=1e-5, atol=0
    )


def test_frozen_weights_do_not_count() -> None:
    network = initialise(Network(name="resnet8", width=4), 5, (3, 8, 8), seed=0)
    for name, weight in network.named_parameters():
        weight.requires_grad_(name.endswith("conv2.weight") or name == "linear.bias")
    _check(network, (3, 8, 8))
    network.requires_grad_(False)
    assert gradient_norms(network, torch.randn(2, 3, 8, 8), torch.zeros(2, dtype=torch.int64)).tolist() == [0, 0]


def test_leaves_the_network_as_it_was() -> None:
    network = initialise(Network(name="convnet", width=4), 5, (1, 8, 8), seed=0)
    network[0].weight.requires_grad_(False)
    network[1].eval()
    network[4].weight.grad = marker = torch.ones_like(network[4].weight)
    before = copy.deepcopy(network.state_dict())
    modes = [layer.training for layer in network.modules()]
    with torch.no_grad():  # where callers are likely to be
        norms = gradient_norms(network, torch.randn(3, 1, 8, 8), torch.arange(3))
    assert not norms.requires_grad
    assert [layer.training for layer in network.modules()] == modes
    assert [w.requires_grad for w in network.parameters()] == [False] + [True] * (len(list(network.parameters())) - 1)
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert network[4].weight.grad is marker
    assert all(w.grad is None for w in network.parameters() if w is not network[4].weight)


@pytest.mark.parametrize("margin", [5.0, 20.0, 60.0])
def test_confident_examples_keep_their_digits(margin: float) -> None:
    """p_y rounds to 1 in float32 from a margin of 17 on, and squared gradients vanish from 45 on."""
    network = nn.Linear(3, 4)
    with torch.no_grad():
        network.weight.zero_()
        network.bias.copy_(torch.tensor([margin, 0.0, 0.0, 0.0]))
    inputs, targets = torch.tensor([[1.0, 2.0, 2.0]]), torch.tensor([0])
    # p - y is e(1, 1, 1) with -3e at the label, e = exp(-margin) / (1 + 3 exp(-margin)); the input has the norm 3
    e = torch.tensor(-margin, dtype=torch.float64).exp()
    expected = e / (1 + 3 * e) * 12**0.5 * 10**0.5
    torch.testing.assert_close(gradient_norms(network, inputs, targets)[0].double(), expected, rtol=1e-6, atol=0)


class _Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Linear(5, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.shared(self.shared(x).relu())


class _TokenTwice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.ones(1, 5))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.token.expand(len(x), -1) + self.token


class _Merged(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x.reshape(-1, 1)).view(x.shape)


class _Bilinear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.outer = nn.Sequential(nn.Bilinear(5, 5, 5))

    def forward(self, x: Tensor) -> Tensor:
        return self.outer[0](x, x)


@pytest.mark.parametrize(
    ("network", "texts"),
    [
        (_Twice(), ("weight of layer shared (Linear)", "more than once")),
        (_TokenTwice(), ("token of layer _TokenTwice", "more than once")),
        (_Merged(), ("weight of layer inner (Linear)", "(15, 1)")),
        (_Bilinear(), ("weight of layer outer.0 (Bilinear)", "no formula")),
        (nn.utils.parametrizations.weight_norm(nn.Linear(5, 5)), ("ParametrizedLinear", "no formula")),
        (nn.Sequential(nn.Unflatten(1, (1, 5)), nn.Conv1d(1, 1, 3, padding=1), nn.Flatten()), ("layer 1 (Conv1d)",)),
        (nn.BatchNorm1d(5, track_running_stats=False), ("keeps no running statistics",)),
    ],
)
def test_what_is_not_covered_is_an_error_that_names_it(network: nn.Module, texts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=".*".join(map(re.escape, texts))):
        gradient_norms(network, torch.randn(3, 5), torch.arange(3))


def test_an_error_leaves_modes_as_they_were() -> None:
    network = _Twice().train()
    with pytest.raises(ValueError, match="more than once"):
        gradient_norms(network, torch.randn(3, 5), torch.arange(3))
    assert network.shared.training
