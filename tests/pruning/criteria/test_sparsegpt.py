"""SparseGPT: by hand, against explicit inverses in numpy, and the inputs' Gram matrices against a naive loop."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from tests.pruning.criteria.given import by_hand, context, trained_like
from winnow.autograd.input_grams import input_grams
from winnow.pruning.allocations.uniform import uniform
from winnow.pruning.context import Context
from winnow.pruning.criteria.sparsegpt import sparsegpt, update
from winnow.pruning.masks import count_left
from winnow.pruning.prune import prune


def linear(weight: np.ndarray, inputs: np.ndarray) -> Context:
    network = nn.Linear(weight.shape[1], len(weight), bias=False).double()
    network.weight.data = torch.from_numpy(weight)
    labels = torch.zeros(len(inputs), dtype=torch.long)
    return by_hand(network, torch.from_numpy(inputs), labels, functional.cross_entropy)


def test_two_weights_by_hand():
    """Of H = [[2, 1], [1, 2]] the squares of U's diagonal are 2/3 and 1/2. Without the first weight, 1, the second is
    0.9 + 1 x 1/2."""
    rows = np.linalg.cholesky([[2.0, 1], [1, 2]]).T  # two examples, so 2 X X' / 2 is H
    given = linear(np.array([[1.0, 0.9]]), rows)
    scores = sparsegpt(given, batch_size=2, damping=1e-12)["weight"]
    assert scores[0].tolist() == pytest.approx([1 / (2 / 3), 0.81 / 0.5])
    found = update(given, {"weight": torch.tensor([[False, True]])}, batches=1, batch_size=2, damping=1e-12)
    assert found["weight"][0].tolist() == pytest.approx([0, 1.4])
    found = update(given, {"weight": torch.tensor([[True, False]])}, batches=1, batch_size=2, damping=1e-12)
    assert found["weight"][0].tolist() == pytest.approx([1, 0])


@pytest.mark.parametrize("seed", range(4))
def test_it_removes_weights_by_explicit_inverses_of_what_is_left(seed):
    """U_ii^2 is the first diagonal entry of the inverse of H[i:, i:]; and the change d of a row has d H d' equal to the
    sum of (w / U_ii)^2 over its pruned weights, each as it was when it was pruned."""
    rng = np.random.default_rng(seed)
    weight, inputs, kept = rng.normal(size=(4, 7)), rng.normal(size=(30, 7)), rng.random((4, 7)) < 0.5
    hessian = 2 * inputs.T @ inputs / 30
    hessian += 0.01 * np.diag(hessian).mean() * np.eye(7)
    given = linear(weight, inputs)
    inverses = [np.linalg.inv(hessian[i:, i:]) for i in range(7)]
    scores = sparsegpt(given, batch_size=30)["weight"]
    np.testing.assert_allclose(scores, weight**2 / [inverse[0, 0] for inverse in inverses], rtol=1e-9)
    found = update(given, {"weight": torch.from_numpy(kept)}, batches=1, batch_size=30, damping=0.01)["weight"].numpy()
    for row in range(4):
        expected, rise = weight[row].copy(), 0.0
        for i in np.flatnonzero(~kept[row]):
            rise += expected[i] ** 2 / inverses[i][0, 0]
            expected[i:] -= expected[i] * inverses[i][0] / inverses[i][0, 0]
        np.testing.assert_allclose(found[row], expected, rtol=1e-9, atol=1e-12)
        change = found[row] - weight[row]
        np.testing.assert_allclose(change @ hessian @ change, rise, rtol=1e-9)


def test_an_input_that_is_always_zero_has_no_weight():
    inputs = np.array([[1.0, 0, 2], [3, 0, -1]])
    given = linear(np.array([[1.0, 5, 2]]), inputs)
    assert sparsegpt(given, batch_size=2)["weight"][0].tolist()[1] == 0
    whole = {"weight": torch.ones(1, 3, dtype=torch.bool)}
    assert update(given, whole, batches=1, batch_size=2, damping=0.01)["weight"][0].tolist() == [1, 0, 2]


@pytest.mark.parametrize(("groups", "stride", "padding"), [(1, 1, 1), (2, 2, 0), (4, 1, 2)])
def test_the_gram_matrix_of_a_convolution_is_that_of_a_naive_loop(groups, stride, padding):
    torch.manual_seed(0)
    network = nn.Conv2d(4, 8, (3, 2), stride, padding, groups=groups, bias=False).double()
    inputs = torch.randn(35, 4, 6, 5).double()
    found = input_grams(network, inputs)["weight"]
    padded, of_group = functional.pad(inputs, (padding,) * 4), 4 // groups
    expected = torch.zeros(groups, of_group * 6, of_group * 6).double()
    for group in range(groups):
        channels = padded[:, group * of_group : (group + 1) * of_group]
        for y in range(0, padded.shape[2] - 2, stride):
            for x in range(0, padded.shape[3] - 1, stride):
                patch = channels[:, :, y : y + 3, x : x + 2].flatten(1)
                expected[group] += torch.einsum("na,nb->ab", patch, patch)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("part", [0.3, 0.5, 0.8])
def test_with_its_own_mask_the_outputs_of_each_layer_change_less_than_without_the_update(part):
    """The changed outputs of a layer, given the inputs before the cut, are d G d' of the change d of its weights."""
    network = trained_like()
    given, options = context(network), {"batches": 2, "batch_size": 20, "damping": 1e-3}
    scores = sparsegpt(given, **options)
    mask = prune(scores, given.mask, int(part * count_left(given.mask)), uniform)
    found = update(given, mask, **options)
    inputs = torch.cat([images for images, _ in given.batches(2, 20)])
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name in mask)
    grams = input_grams(network, inputs)
    for name, weight in given.weights.items():
        assert not found[name][~mask[name]].any()
        gram = grams[name]

        def error(changed: torch.Tensor, weight: torch.Tensor = weight, gram: torch.Tensor = gram) -> float:
            change = (changed - weight).reshape(len(gram), -1, gram.shape[1])
            return float(torch.einsum("gai,gij,gaj->", change, gram, change))

        plain = error(weight.masked_fill(~mask[name].to(weight.device), 0))
        if plain == 0:  # most of this layer's inputs are always zero
            assert name == "8.weight"
        else:
            assert 0 < error(found[name]) < 0.9 * plain


def test_a_layer_of_another_kind_is_named():
    network = nn.Sequential(nn.Conv1d(2, 2, 1), nn.Flatten(), nn.Linear(2, 2))
    given = by_hand(network, torch.randn(2, 2, 1), torch.tensor([0, 1]), functional.cross_entropy)
    with pytest.raises(ValueError, match=r"^criterion: sparsegpt finds no inputs of 0.weight"):
        sparsegpt(given)
