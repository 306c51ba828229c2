"""The Gram matrix of all logits' gradients against torch.func.jacrev, in double precision."""

import copy
import re
from unittest import mock

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.autograd.test_gradient_norms import NETWORKS, _head, _used
from winnow.autograd.ntk import gram, velocity
from winnow.networks import initialise
from winnow.params.training import Network


def _dense(network: nn.Module, inputs: Tensor) -> Tensor:
    """The Jacobian of the logits times itself, in float64."""
    network = copy.deepcopy(network).double().eval()
    trained = {name: weight.detach() for name, weight in network.named_parameters() if weight.requires_grad}
    others = {name: weight.detach() for name, weight in network.named_parameters() if not weight.requires_grad}
    others |= dict(network.named_buffers())

    def logits(weights: dict[str, Tensor], image: Tensor) -> Tensor:
        return torch.func.functional_call(network, (weights, others), (image[None],))[0]

    jacobians = torch.func.vmap(torch.func.jacrev(logits), (None, 0))(trained, inputs.double())
    rows = torch.cat([jacobian.flatten(2) for jacobian in jacobians.values()], 2).flatten(0, 1)
    return rows @ rows.T


def _check(network: nn.Module, shape: tuple[int, ...], n: int = 3) -> None:
    inputs = torch.randn(n, *shape, generator=torch.Generator().manual_seed(2))
    network = _used(network)
    expected = _dense(network, inputs)
    assert expected.diagonal().min() > 1e-6
    size = float(expected.diagonal().max())
    double = gram(copy.deepcopy(network).double(), inputs.double())
    torch.testing.assert_close(double, expected, rtol=0, atol=1e-12 * size)  # the formulas
    single = gram(network, inputs)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), expected, rtol=0, atol=1e-5 * size)  # and their rounding


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.filterwarnings("ignore:There is a performance drop")  # of the other side
@pytest.mark.parametrize("name", NETWORKS)
def test_layers(name: str) -> None:
    construct, shape = NETWORKS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        _check(construct(), shape)


@pytest.mark.parametrize(
    ("name", "width", "shape"),
    [("convnet", 4, (1, 8, 8)), ("lenet_300_100", None, (1, 8, 8)), ("resnet8", 4, (3, 16, 16))],
)
def test_own_architectures(name: str, width: int | None, shape: tuple[int, int, int]) -> None:
    _check(initialise(Network(name=name, width=width), 5, shape, seed=0), shape)


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_convolutions_of_every_shape(data: st.DataObject) -> None:
    """By the way that is cheapest, and by either of the two where both are possible; in tiles of all sizes."""

    def draw(low: int, high: int) -> int:
        return data.draw(st.integers(low, high))

    groups = draw(1, 3)
    channels, out = groups * draw(1, 6), groups * draw(1, 6)
    kernel, padding, dilation, stride = ((draw(*r), draw(*r)) for r in ((1, 3), (0, 2), (1, 2), (1, 2)))
    least = [max(1, d * (k - 1) + 1 - 2 * p) for k, p, d in zip(kernel, padding, dilation, strict=True)]
    shape = (channels, least[0] + draw(0, 5), least[1] + draw(0, 5))
    cost, tile = data.draw(st.sampled_from([0.0, 2.0, 1e12])), data.draw(st.sampled_from([1, 1000, 2**21]))
    products = mock.patch.multiple(
        "winnow.autograd.gram_products", PAIR_COST=cost, TILE_BYTES_OF_PROCESSOR=tile, ROWS=draw(1, 20)
    )
    with products, torch.random.fork_rng(devices=[]):
        torch.manual_seed(draw(0, 99))
        first = nn.Conv2d(channels, out, kernel, stride, padding, dilation, groups, bias=data.draw(st.booleans()))
        _check(nn.Sequential(first, nn.Tanh(), *_head(out)), shape)


def test_frozen_weights_do_not_count() -> None:
    network = initialise(Network(name="resnet8", width=4), 5, (3, 8, 8), seed=0)
    for name, weight in network.named_parameters():
        weight.requires_grad_(name.endswith("conv2.weight") or name in ("linear.bias", "bn1.weight"))
    _check(network, (3, 8, 8))
    network.requires_grad_(False)
    assert not gram(network, torch.randn(2, 3, 8, 8)).any()


def test_rows_belong_to_an_image_and_a_logit() -> None:
    """One linear layer: the gradient of logit c for x is x in row c of the weight, and 1 in entry c of the bias."""
    images = torch.tensor([[1.0, 2.0], [3.0, -1.0]])
    found = gram(nn.Linear(2, 3), images)
    one = torch.eye(3)
    expected = torch.cat([torch.cat([6 * one, 2 * one], 1), torch.cat([2 * one, 11 * one], 1)])
    torch.testing.assert_close(found, expected)


def test_leaves_the_network_as_it_was() -> None:
    network = initialise(Network(name="convnet", width=4), 5, (1, 8, 8), seed=0)
    network[1].eval()
    network[4].weight.grad = marker = torch.ones_like(network[4].weight)
    before = copy.deepcopy(network.state_dict())
    modes = [layer.training for layer in network.modules()]
    inputs = torch.randn(3, 1, 8, 8)
    with torch.no_grad():  # where callers are likely to be
        found = gram(network, inputs)
    assert not found.requires_grad
    assert not inputs.requires_grad
    assert [layer.training for layer in network.modules()] == modes
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert network[4].weight.grad is marker
    assert all(w.grad is None for w in network.parameters() if w is not network[4].weight)


class _Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Linear(5, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.shared(self.shared(x).relu())


@pytest.mark.parametrize(
    ("network", "text"),
    [
        (_Twice(), "weight of layer shared (Linear) is used more than once"),
        (nn.utils.parametrizations.weight_norm(nn.Linear(5, 5)), "ParametrizedLinear"),
    ],
)
def test_what_is_not_covered_is_an_error_that_names_it(network: nn.Module, text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        gram(network, torch.randn(3, 5))


def test_velocity_is_one_minus_the_cosine() -> None:
    before, after = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[2.0, 1.0], [1.0, 0.0]])
    assert velocity(before, after) == pytest.approx(1 - 2 / (2**0.5 * 6**0.5))
    assert velocity(before, torch.tensor([[0.0, 3.0], [3.0, 0.0]])) == pytest.approx(1)


def test_a_kernel_that_only_grows_does_not_turn() -> None:
    kernel = torch.randn(6, 6)
    kernel = kernel @ kernel.T
    assert velocity(kernel, 5 * kernel) < 1e-14


def test_a_slow_velocity_keeps_its_digits() -> None:
    """Turned by an angle t, the velocity is 1 - cos t = t^2 / 2 but for t^4, of which a cosine in double precision
    has no digit left."""
    turned = torch.eye(2, dtype=torch.float64) + 1e-9 * torch.tensor([[1.0, 0.0], [0.0, -1.0]], dtype=torch.float64)
    assert velocity(torch.eye(2, dtype=torch.float64), turned) == pytest.approx(0.5e-18, rel=1e-6)


def test_a_kernel_of_zeros_has_no_velocity() -> None:
    assert velocity(torch.zeros(2, 2), torch.eye(2)) != velocity(torch.zeros(2, 2), torch.eye(2))
