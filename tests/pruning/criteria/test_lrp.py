"""Relevance: by hand, against naive loops in numpy, and its conservation."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.pruning.criteria.given import by_hand, context, trained_like
from winnow.autograd.relevance import weight_relevance
from winnow.pruning.criteria.lrp import lrp
from winnow.pruning.masks import prunable


def linear(*weights: list[list[float]]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for weight in weights:
        layer = nn.Linear(len(weight[0]), len(weight), bias=False).double()
        layer.weight.data = torch.tensor(weight, dtype=torch.float64)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def test_the_epsilon_rule_of_one_layer_by_hand():
    """Inputs 1 and 2 of weights 3 and -1 get 3 and -2 of the output 1."""
    found = weight_relevance(linear([[3, -1]]), torch.tensor([[1.0, 2.0]]).double(), torch.tensor([0]), 1e-12)
    assert found["0.weight"][0].tolist() == pytest.approx([3, 2])


def test_the_z_plus_rule_of_one_layer_by_hand():
    """The same as a 1x1 convolution: the first input gets all."""
    network = nn.Sequential(nn.Conv2d(2, 1, 1, bias=False), nn.Flatten()).double()
    network[0].weight.data = torch.tensor([3.0, -1.0]).double().view(1, 2, 1, 1)
    found = weight_relevance(network, torch.tensor([1.0, 2.0]).double().view(1, 2, 1, 1), torch.tensor([0]), 1e-12)
    assert found["0.weight"].flatten().tolist() == pytest.approx([1, 0])


def test_two_layers_by_hand():
    """For inputs (1, 2) the hidden units are 3 - 2 = 1, 0.5 + 2 = 2.5, and -1, so 0. The logit is 2 x 1 - 2.5 = -0.5,
    of relevances 2, -2.5 and 0. The first unit's 2 parts into 6 and -4, the second's -2.5 into -0.5 and -2."""
    network = linear([[3, -1], [0.5, 1], [-1, 0]], [[0, 0, 0], [2, -1, 9]])
    found = weight_relevance(network, torch.tensor([[1.0, 2.0]]).double(), torch.tensor([1]), 1e-12)
    np.testing.assert_allclose(found["2.weight"], [[0, 0, 0], [2, 2.5, 0]], atol=1e-9)
    np.testing.assert_allclose(found["0.weight"], [[6, 4], [0.5, 2], [0, 0]], atol=1e-9)


class Small(nn.Module):
    """Two convolutions, one with stride, groups and a bias, around batch norm; a maximum, and two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 6, 3, stride=2, groups=2)
        self.hidden, self.last = nn.Linear(6, 5), nn.Linear(5, 3)

    def forward(self, images: Tensor) -> Tensor:
        found = functional.relu(self.norm(self.first(images)))
        found = functional.max_pool2d(functional.relu(self.second(found), inplace=True), 2)
        return self.last(functional.relu(self.hidden(found.flatten(1))))


def small(seed: int) -> Small:
    torch.manual_seed(seed)
    network = Small().double()
    with torch.no_grad():
        for tensor in (network.norm.weight, network.norm.bias, network.norm.running_mean):
            tensor.add_(0.3 * torch.randn(tensor.shape))
    return network


def naive(network: Small, image: np.ndarray, label: int, epsilon: float) -> dict[str, np.ndarray]:
    """The relevance of one image, product by product."""
    state = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    found = {name: np.zeros_like(state[name]) for name in prunable(network)}

    def conv(inputs: np.ndarray, name: str, stride: int, pad: int, groups: int, bias: np.ndarray):
        """The outputs, and from their relevance to that of the inputs."""
        weight = state[f"{name}.weight"]
        padded = np.pad(inputs, ((0, 0), (pad, pad), (pad, pad)))
        size = (padded.shape[1] - 3) // stride + 1
        out, per = np.zeros((len(weight), size, size)), weight.shape[1]

        def products(o: int, y: int, x: int):
            for i in range(per):
                for dy in range(3):
                    for dx in range(3):
                        place = (o // (len(weight) // groups) * per + i, y * stride + dy, x * stride + dx)
                        yield (o, i, dy, dx), place, padded[place] * weight[o, i, dy, dx]

        for o, y, x in np.ndindex(out.shape):
            out[o, y, x] = bias[o] + sum(product for *_, product in products(o, y, x))

        def back(relevance: np.ndarray) -> np.ndarray:
            given = np.zeros_like(padded)
            for o, y, x in np.ndindex(out.shape):
                positive = max(bias[o], 0) + sum(max(product, 0) for *_, product in products(o, y, x)) + epsilon
                for of, place, product in products(o, y, x):
                    part = max(product, 0) / positive * relevance[o, y, x]
                    found[f"{name}.weight"][of] += abs(part)
                    given[place] += part
            return given[:, pad : given.shape[1] - pad, pad : given.shape[2] - pad]

        return out, back

    def linear(inputs: np.ndarray, name: str):
        weight = state[f"{name}.weight"]
        out = weight @ inputs + state[f"{name}.bias"]

        def back(relevance: np.ndarray) -> np.ndarray:
            parts = inputs * weight * (relevance / (out + epsilon * np.where(out < 0, -1, 1)))[:, None]
            found[f"{name}.weight"][:] = np.abs(parts)
            return parts.sum(0)

        return out, back

    first, to_image = conv(image, "first", 1, 1, 1, np.zeros(4))
    column = {name: state[f"norm.{name}"][:, None, None] for name in ("weight", "bias", "running_mean", "running_var")}
    normed = (first - column["running_mean"]) / np.sqrt(column["running_var"] + network.norm.eps) * column["weight"]
    second, to_first = conv(np.maximum(normed + column["bias"], 0), "second", 2, 0, 2, state["second.bias"])
    live = np.maximum(second, 0)
    assert live.shape == (6, 2, 2)
    hidden, to_second = linear(live.max((1, 2)), "hidden")
    logits, to_hidden = linear(np.maximum(hidden, 0), "last")
    of_winners = to_second(to_hidden(np.where(np.arange(3) == label, logits, 0)))
    relevance = np.zeros((6, 4))
    relevance[np.arange(6), live.reshape(6, 4).argmax(1)] = of_winners
    kept = first / (first + epsilon * np.where(first < 0, -1, 1))  # batch norm keeps the inputs away from zero, too
    to_image(to_first(relevance.reshape(6, 2, 2)) * kept)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_it_is_a_naive_loop_over_all_products(seed):
    network, rng = small(seed).eval(), np.random.default_rng(seed)
    images, labels = rng.normal(size=(3, 2, 5, 5)), [0, 2, 1]
    with torch.no_grad():
        both = [naive(network, image, label, 1e-3) for image, label in zip(images, labels, strict=True)]
    found = weight_relevance(network, torch.from_numpy(images), torch.tensor(labels), 1e-3)
    for name in prunable(network):
        np.testing.assert_allclose(found[name], sum(one[name] for one in both), rtol=1e-7, atol=1e-12)


class Residual(nn.Module):
    """Convolutions and a linear layer without biases, with a shortcut; whatever is positive stays so."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.one, self.two = (nn.Conv2d(4, 4, 3, padding=1, bias=False) for _ in range(2))
        self.norm, self.last = nn.BatchNorm2d(4), nn.Linear(4, 3, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        found = functional.relu(self.norm(self.conv(images)))
        found = functional.relu(self.two(functional.relu(self.one(found))) + found)
        return self.last(found.mean((2, 3)))


@pytest.mark.parametrize("seed", range(3))
def test_the_weights_of_a_layer_share_the_logit(seed):
    """All relevance is positive where the last layer's weights are. The two branches of a sum share it; of layers that
    all of it passes the weights' scores sum to the logit, as do the last layer's, and an image's pixels."""
    torch.manual_seed(seed)
    network = Residual().double()
    with torch.no_grad():
        network.last.weight.abs_()
        network.two.weight.abs_()  # so that no negative branch meets a positive shortcut
        network.norm.bias.fill_(0.1)
    images, labels = torch.randn(5, 3, 6, 6).double(), torch.tensor([0, 1, 2, 0, 1])
    scores = lrp(by_hand(network, images, labels, functional.cross_entropy), batch_size=5, epsilon=1e-10)
    logit = network.eval()(images).gather(1, labels[:, None]).mean().item()
    sums = {name: layer.sum().item() for name, layer in scores.items()}
    assert sums["last.weight"] == pytest.approx(logit, rel=1e-6)
    assert sums["conv.weight"] == pytest.approx(logit, rel=1e-6)
    assert sums["one.weight"] == pytest.approx(sums["two.weight"], rel=1e-6)
    assert 0 < sums["two.weight"] < logit


def test_a_weight_of_zero_has_no_relevance_and_the_logit_is_all_that_counts():
    network = trained_like()
    given = context(network)
    scores = lrp(given, batch_size=20)
    with torch.no_grad():
        for name in prunable(network):
            network.get_parameter(name).view(-1)[::2] = 0
    halved = lrp(context(network), batch_size=20)
    assert all(not layer.reshape(-1)[::2].any() for layer in halved.values())
    assert all(bool((layer >= 0).all()) and bool(layer.any()) for layer in scores.values())


def test_a_layer_of_another_kind_is_named():
    network = nn.Sequential(nn.Conv1d(2, 2, 1), nn.Flatten(), nn.Linear(2, 2))
    with pytest.raises(ValueError, match=r"^criterion: lrp finds no relevance of 0.weight"):
        lrp(by_hand(network, torch.randn(2, 2, 1), torch.tensor([0, 1]), functional.cross_entropy))
