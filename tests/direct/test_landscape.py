"""The loss between a user's own checkpoints, and its curvature, against plain torch."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import winnow
from tests.direct.own import CLASSES, Own, data, loader

X, Y = data().tensors


def test_a_line_is_measured_with_statistics_of_each_network_on_it():
    a, b = Own(1), Own(2)
    network = Own(3).train()
    found = winnow.line(network, a.state_dict(), b.state_dict(), [(X, Y)], points=5)
    assert found["alpha"].tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert network.training
    assert torch.equal(network.first.weight, Own(3).first.weight)
    for alpha, error, loss in found.to_numpy():
        weights = {name: torch.lerp(p, dict(b.named_parameters())[name], alpha) for name, p in a.named_parameters()}
        hidden = X @ weights["first.weight"].T + weights["first.bias"]
        mean, variance = hidden.mean(0), hidden.var(0)  # unbiased, as torch keeps it
        hidden = (hidden - mean) / torch.sqrt(variance + 1e-5) * weights["bn.weight"] + weights["bn.bias"]
        logits = torch.tanh(hidden) @ weights["last.weight"].T + weights["last.bias"]
        assert loss == pytest.approx(functional.cross_entropy(logits, Y).item(), rel=1e-5)
        assert error == pytest.approx((logits.argmax(1) != Y).float().mean().item())


def test_statistics_may_come_from_other_batches():
    a, b = Own(1).state_dict(), Own(2).state_dict()
    own, other = (winnow.line(Own(), a, b, loader(), 3, calibration) for calibration in (loader(), loader(10)))
    assert not np.allclose(own["loss"], other["loss"])
    same = winnow.line(Own(), a, b, loader(), 3)
    np.testing.assert_array_equal(own, same)


def test_two_permuted_copies_have_a_barrier_between_them_and_one_network_has_none():
    """Hidden units in another order are the same function; half-way, it is another one."""
    network = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, CLASSES))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for layer in (network[0], network[2]):
            nn.init.normal_(layer.weight)
    labels = network(X).argmax(1)  # so the network makes no error
    a = copy.deepcopy(network.state_dict())
    order = torch.arange(11, -1, -1)
    b = {"0.weight": a["0.weight"][order], "0.bias": a["0.bias"][order], "2.weight": a["2.weight"][:, order]}
    table = winnow.line(network, a, b | {"2.bias": a["2.bias"]}, [(X, labels)])
    height, place = winnow.barrier(table["alpha"], table["error"])
    assert table["error"].iloc[[0, -1]].tolist() == [0, 0]
    assert height > 0.1
    assert 0 < place < 1
    flat = winnow.line(network, a, a, [(X, labels)])
    assert winnow.barrier(flat["alpha"], flat["loss"])[0] == 0


def exact_hessian(network: nn.Module, names: list[str]) -> torch.Tensor:
    network = copy.deepcopy(network).double().eval()
    weights = {name: weight.detach() for name, weight in network.named_parameters()}
    sizes = [weights[name].numel() for name in names]

    def loss(vector: torch.Tensor) -> torch.Tensor:
        parts = {name: part.view_as(weights[name]) for name, part in zip(names, vector.split(sizes), strict=True)}
        return functional.cross_entropy(torch.func.functional_call(network, weights | parts, (X.double(),)), Y)

    return torch.autograd.functional.hessian(loss, torch.cat([weights[name].flatten() for name in names]))


def test_eigenvalues_are_those_of_the_whole_matrix():
    network = Own()
    exact = exact_hessian(network, [name for name, _ in network.named_parameters()])
    found = winnow.hessian_eigenvalues(network, loader(), k=4)
    np.testing.assert_allclose(found, torch.linalg.eigvalsh(exact).flip(0)[:4], rtol=1e-3)


def test_eigenvalues_over_the_weights_that_a_mask_leaves():
    network = Own()
    mask = winnow.prune(network, 0.5)
    names = [name for name, _ in network.named_parameters()]
    live = torch.cat(
        [mask.get(name, torch.ones_like(p, dtype=torch.bool)).flatten() for name, p in network.named_parameters()]
    )
    exact = exact_hessian(network, names)[live][:, live]
    found = winnow.hessian_eigenvalues(network, loader(), k=3, mask=mask)
    np.testing.assert_allclose(found, torch.linalg.eigvalsh(exact).flip(0)[:3], rtol=1e-3)


def test_mistakes_name_the_argument():
    network, a = Own(), Own().state_dict()
    with pytest.raises(ValueError, match="b: does not fit the network: it has extra, which the network has not"):
        winnow.line(network, a, a | {"extra": X}, loader())
    with pytest.raises(ValueError, match=r"a: does not fit .* last.bias has the shape \[3\], and in .* \[4\]"):
        winnow.line(network, a | {"last.bias": torch.zeros(3)}, a, loader())
    with pytest.raises(ValueError, match="points: 2: must be at least 3"):
        winnow.line(network, a, a, loader(), points=2)
    with pytest.raises(ValueError, match="loader: gives no batch; an iterator passes once only"):
        winnow.line(network, a, a, iter([(X, Y)]))
    with pytest.raises(ValueError, match="k: 100 eigenvalues of a Hessian of 69 live weights"):
        winnow.hessian_eigenvalues(network, loader(), k=100)
