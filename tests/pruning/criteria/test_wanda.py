"""Wanda: a case by hand, and convolutions against their patches."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.pruning.criteria.given import IMAGES, by_hand, context, random_mask
from tests.training.small import CLASSES
from winnow.pruning.allocations.uniform import uniform
from winnow.pruning.context import batches_of
from winnow.pruning.criteria.wanda import ranks, wanda
from winnow.pruning.masks import count_left
from winnow.pruning.prune import prune


def test_by_hand():
    """Norms 2 and 0.5 of two inputs: the second column is cut in both rows."""
    network = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[1.0, 2.0], [-3.0, 1.0]]))
    given = by_hand(network, torch.tensor([[2.0, 0.5]]), torch.zeros(1), F.cross_entropy)
    assert wanda(given, batch_size=1, compare="layer")["weight"].tolist() == [[2, 1], [6, 0.5]]
    scores = wanda(given, batch_size=1)
    assert scores["weight"].tolist() == [[1, 0.5], [1, 0.5]]
    assert prune(scores, given.mask, 2)["weight"].tolist() == [[True, False], [True, False]]


def test_of_equal_scores_the_first_of_every_row_go_first():
    network = nn.Linear(4, 3, bias=False)
    network.weight.data.zero_()
    given = by_hand(network, torch.ones(1, 4), torch.zeros(1), F.cross_entropy)
    assert prune(wanda(given, batch_size=1), given.mask, 6)["weight"].tolist() == [[False, False, True, True]] * 3


def strided() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(4, 6, 2, groups=2), nn.Flatten(),
        nn.Linear(24, CLASSES),
    )  # fmt: skip


def test_a_convolution_is_a_linear_layer_of_its_patches():
    network = strided()
    found = wanda(context(network), batches=2, batch_size=7, compare="layer")
    images = torch.cat([inputs for inputs, _ in batches_of(IMAGES, 0)(2, 7)])
    hidden = network[1](network[0](images))
    for name, inputs, options, groups in (("0.weight", images, (1, 1, 2), 1), ("2.weight", hidden, (1, 0, 1), 2)):
        weight = network.get_parameter(name)
        patches = F.unfold(inputs, weight.shape[2:], *options).square().sum((0, 2)) / len(images)
        norms = patches.sqrt().view(groups, 1, *weight.shape[1:]).expand(groups, len(weight) // groups, -1, -1, -1)
        torch.testing.assert_close(found[name], (weight.abs() * norms.reshape(weight.shape)).detach())
    torch.testing.assert_close(
        found["4.weight"],
        (network[4].weight.abs() * network[:4](images).square().mean(0).sqrt()).detach(),
    )


@pytest.mark.parametrize("density", [1.0, 0.6])
def test_every_output_keeps_the_same_fraction(density):
    network = strided()
    mask = random_mask(network, density)
    given = context(network, mask=mask)
    cut = prune(wanda(given, batch_size=9), mask, count_left(mask) // 2)
    for name, kept in cut.items():
        rows, before = kept.flatten(1).sum(1), mask[name].flatten(1).sum(1)
        assert ((rows - before / 2).abs() <= 1).all()
    even = prune(wanda(given, batch_size=9), mask, count_left(mask) // 2, uniform)
    assert count_left(even) == count_left(cut)


def test_ranks_by_hand():
    scores = torch.tensor([[3.0, 1.0, 1.0, 9.0], [0.0, 0.0, 0.0, 0.0]])
    live = torch.tensor([[True, True, True, False], [False, True, False, True]])
    expected = [[1, 1 / 3, 2 / 3, 0], [0, 1 / 2, 0, 1]]
    torch.testing.assert_close(ranks(scores, live), torch.tensor(expected))
