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
from winnow.pruning.criteria.woodfisher import best_change, inverse_diagonal, update, woodfisher


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
    return network.to(IMAGES.device)


@pytest.mark.parametrize("kind", ["convnet", "grouped"])
def test_obd_is_the_mean_of_squares_of_single_images(kind):
    scores = obd(context(made(kind)), batches=2, batch_size=7)
    for name, found in scores.items():
        weight = made(kind).get_parameter(name).detach().double()
        expected = one_by_one(made(kind), name, 2, 7).square().mean(0).reshape(weight.shape) * weight**2 / 2
        torch.testing.assert_close(found.double(), expected, rtol=1e-3, atol=1e-6 * float(expected.max()))


def test_two_weights_by_hand():
    """w = (1, 0.9) and F = [[2, 1], [1, 2]], whose inverse has 2/3 on its diagonal. Without the second weight the first
    rises by 0.9 / 2, and the loss by 0.45^2 - 0.45 x 0.9 + 0.9^2 = 0.6075."""
    network = nn.Linear(2, 1, bias=False).double()
    network.weight.data.copy_(torch.tensor([[1.0, 0.9]]))
    inputs = torch.from_numpy(np.linalg.cholesky([[4.0, 2], [2, 4]]).T.copy())  # the gradients of two images
    given = by_hand(network, inputs, torch.zeros(2), lambda outputs, _: outputs.mean())
    options = {"batches": 1, "batch_size": 2, "block": 2, "damping": 1e-7}
    assert obd(given, batch_size=2)["weight"][0].tolist() == pytest.approx([1, 0.81])
    assert woodfisher(given, **options)["weight"][0].tolist() == pytest.approx([0.75, 0.6075])
    found = update(given, {"weight": torch.tensor([[True, False]])}, **options)["weight"][0]
    assert found.tolist() == pytest.approx([1.45, 0])
    change = found - network.weight.detach()[0]
    assert float((inputs @ change).square().mean() / 2) == pytest.approx(0.6075)


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
        weights = network.get_parameter(name).detach().cpu().double().flatten()
        expected = torch.zeros(len(live)).double()
        masked = context(trained_like(), mask=mask).network
        gradients = one_by_one(masked, name, 2, 7).cpu().numpy()
        for places in live.nonzero()[:, 0].split(10):
            inverse = torch.from_numpy(np.diag(by_recursion(gradients[:, places], 1e-2)).copy())
            expected[places] = weights[places] ** 2 / (2 * inverse)
        torch.testing.assert_close(found.cpu().flatten(), expected, rtol=1e-3, atol=1e-6 * float(expected.max()))


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


@pytest.mark.parametrize("images", [4, 40])
def test_the_update_is_the_closed_form_of_the_quadratic(images):
    """The loss rise of the best change is w' [F^-1 of the pruned]^-1 w / 2, and for one pruned weight the change is
    -w F^-1 e / [F^-1]_ii (eq. 11); both with the paper's recursion for the inverse."""
    rng = np.random.default_rng(1)
    gradients, weights = rng.normal(size=(images, 9)), rng.normal(size=9)
    inverse, fisher = by_recursion(gradients, 0.1), 0.1 * np.eye(9) + gradients.T @ gradients / images
    for gone in ([2], [0, 3, 8], [0, 1, 2, 3, 4, 5, 6, 7], list(range(9)), []):
        kept = ~np.isin(np.arange(9), gone)
        change = best_change(*(torch.from_numpy(each) for each in (gradients, weights, kept)), 0.1).numpy()
        np.testing.assert_allclose(change[gone], -weights[gone])
        rise = weights[gone] @ np.linalg.solve(inverse[np.ix_(gone, gone)], weights[gone]) / 2 if gone else 0
        np.testing.assert_allclose(change @ fisher @ change / 2, rise, rtol=1e-9, atol=1e-12)
        if gone == [2]:
            np.testing.assert_allclose(change, -weights[2] * inverse[2] / inverse[2, 2], rtol=1e-9)


def test_the_update_of_a_network_is_that_of_its_blocks_and_leaves_the_rest():
    network = trained_like()
    before, after = random_mask(network), random_mask(network, 0.5, seed=1)
    after = {name: kept & before[name] for name, kept in after.items()}
    given = context(network, mask=before)
    found = update(given, after, batches=2, batch_size=7, block=10, damping=1e-2)
    for name, weight in given.weights.items():
        masked = context(trained_like(), mask=before).network
        expected, gradients = weight.flatten().double(), one_by_one(masked, name, 2, 7).double()
        for places in before[name].flatten().nonzero()[:, 0].split(10):
            stays = after[name].flatten()[places]
            expected[places] += best_change(gradients[:, places], expected[places], stays, 1e-2)
        assert not found[name][~after[name]].any()
        torch.testing.assert_close(found[name].flatten().double(), expected, rtol=1e-3, atol=1e-5)
    same = update(given, before, batches=2, batch_size=7, block=10, damping=1e-2)
    assert all(torch.equal(same[name], weight) for name, weight in given.weights.items())
