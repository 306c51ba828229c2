"""Criteria of single images' gradients: against gradients one by one, the paper's recursion, an exact solve."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.pruning.criteria.given import IMAGES, by_hand, context, random_mask, trained_like
from tests.training.small import CLASSES
from winnow.pruning.context import Context, batches_of
from winnow.pruning.criteria.obd import obd
from winnow.pruning.criteria.woodfisher import inverse_diagonal, woodfisher


def one_by_one(network: nn.Module, name: str, count: int, size: int) -> Tensor:
    """The gradients [images, weights] of one layer, image by image, in evaluation mode and double precision."""
    network = network.eval().double()
    rows = []
    for inputs, labels in batches_of(IMAGES, 0)(count, size):
        for image, label in zip(inputs.double(), labels, strict=True):
            network.zero_grad()
            F.cross_entropy(network(image[None]), label[None]).backward()
            rows.append(network.get_parameter(name).grad.flatten().clone())
    return torch.stack(rows)


def grouped() -> nn.Module:
    """A strided, dilated and a grouped convolution."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, stride=2, padding=2, dilation=2), nn.ReLU(), nn.Conv2d(4, 6, 2, groups=2), nn.Flatten(),
        nn.LazyLinear(CLASSES),
    )  # fmt: skip


def made(kind: str) -> nn.Module:
    if kind == "convnet":
        return trained_like()
    network = grouped()
    network(torch.zeros(1, 2, 6, 6))
    return network


@pytest.mark.parametrize("kind", ["convnet", "grouped"])
def test_obd_is_the_mean_of_squares_of_single_images(kind):
    scores = obd(context(made(kind)), batches=2, batch_size=7)
    for name, found in scores.items():
        weight = made(kind).get_parameter(name).detach().double()
        expected = one_by_one(made(kind), name, 2, 7).square().mean(0).reshape(weight.shape) * weight**2 / 2
        torch.testing.assert_close(found.double(), expected, rtol=1e-3, atol=1e-6 * float(expected.max()))


def test_obd_of_a_logistic_regression_by_its_formula():
    """g_n = (p - y) x."""
    torch.manual_seed(0)
    network, inputs, labels = nn.Linear(4, 3, bias=False), torch.randn(20, 4), torch.randint(3, (20,))
    scores = obd(by_hand(network, inputs, labels, F.cross_entropy), batch_size=20)["weight"]
    residual = network(inputs).softmax(1) - F.one_hot(labels, 3)
    expected = network.weight**2 / 2 * (residual.T.square() @ inputs.square()) / 20
    torch.testing.assert_close(scores, expected.detach())


def by_recursion(gradients: np.ndarray, damping: float) -> np.ndarray:
    """The inverse as the paper makes it, one image after another (eq. 8)."""
    n, size = gradients.shape
    inverse = np.eye(size) / damping
    for row in gradients:
        product = inverse @ row
        inverse -= np.outer(product, product) / (n + row @ product)
    return inverse


@pytest.mark.parametrize("images", [3, 40])
@pytest.mark.parametrize("damping", [1e-3, 10.0])
def test_the_inverse_is_that_of_the_recursion_and_of_an_exact_solve(images, damping):
    gradients = np.random.default_rng(0).normal(size=(images, 12))
    found = inverse_diagonal(torch.from_numpy(gradients), damping).numpy()
    np.testing.assert_allclose(found, np.diag(by_recursion(gradients, damping)), rtol=1e-6)
    fisher = damping * np.eye(12) + gradients.T @ gradients / images
    np.testing.assert_allclose(found, np.diag(np.linalg.inv(fisher)), rtol=1e-6)


def test_woodfisher_of_blocks_of_the_remaining_weights():
    network = trained_like()
    mask = random_mask(network)
    given = context(network, mask=mask)
    scores = woodfisher(given, batches=2, batch_size=7, block=10, damping=1e-2)
    for name, found in scores.items():
        live = mask[name].flatten()
        weights = network.get_parameter(name).detach().double().flatten()
        expected = torch.zeros(len(live)).double()
        masked = context(trained_like(), mask=mask).network
        gradients = one_by_one(masked, name, 2, 7).numpy()
        for places in live.nonzero()[:, 0].split(10):
            inverse = torch.from_numpy(np.diag(by_recursion(gradients[:, places], 1e-2)).copy())
            expected[places] = weights[places] ** 2 / (2 * inverse)
        torch.testing.assert_close(found.flatten(), expected, rtol=1e-3, atol=1e-6 * float(expected.max()))


def test_the_loss_rise_is_that_of_the_quadratic_with_the_best_change():
    """The minimum of d' F d / 2 over changes d with d_i = -w_i, by solving for the others."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(5, 1, bias=False))
    inputs, targets = torch.randn(30, 5), torch.randn(30)
    given = Context(
        network,
        {"1.weight": torch.ones(1, 5, dtype=torch.bool)},
        lambda count, size: [(inputs, targets)] * count,
        loss=lambda outputs, labels: (outputs[:, 0] - labels).square().mean(),
    )
    scores = woodfisher(given, batches=1, batch_size=30, damping=1e-2)["1.weight"][0]
    weight = network[1].weight.detach().double()[0]
    residual = (inputs.double() @ weight - targets).detach()
    gradients = 2 * residual[:, None] * inputs.double()
    fisher = 1e-2 * torch.eye(5).double() + gradients.T @ gradients / 30
    for i in range(5):
        others = [j for j in range(5) if j != i]
        change = torch.zeros(5).double()
        change[i] = -weight[i]
        change[others] = torch.linalg.solve(fisher[others][:, others], fisher[others, i] * weight[i])
        assert float(scores[i]) == pytest.approx(float(change @ fisher @ change / 2), rel=1e-4)
