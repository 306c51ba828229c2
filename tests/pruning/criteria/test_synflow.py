"""SynFlow: against a case by hand, paths one by one, and its conservation."""

import itertools

import pytest
import torch
from torch import nn

from tests.pruning.criteria.given import by_hand, context, half_square, random_mask, trained_like, two_layers
from winnow.networks import initialise
from winnow.params.training import Network
from winnow.pruning.criteria.synflow import synflow


def test_by_hand():
    scores = synflow(by_hand(two_layers(), torch.zeros(1, 2), torch.zeros(1), half_square))
    assert scores["0.weight"].tolist() == [[2, 4], [3, 0.5]]
    assert scores["1.weight"].tolist() == [[6, 3.5]]


def test_a_weight_is_worth_the_paths_through_it():
    """Three layers with a rectifier: the sum over all paths of the product of absolute weights."""
    torch.manual_seed(0)
    sizes = [3, 4, 2, 3]
    layers = [nn.Linear(a, b, bias=False) for a, b in itertools.pairwise(sizes)]
    network = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
    scores = synflow(by_hand(network, torch.zeros(1, 3), torch.zeros(1), half_square))
    matrices = [layer.weight.detach().double().abs() for layer in layers]
    expected = [torch.zeros_like(matrix) for matrix in matrices]
    for path in itertools.product(*map(range, sizes)):
        steps = list(zip(range(3), path[1:], path[:-1], strict=True))
        product = 1.0
        for layer, row, column in steps:
            product *= float(matrices[layer][row, column])
        for layer, row, column in steps:
            expected[layer][row, column] += product
    for name, matrix in zip(("0.weight", "2.weight", "4.weight"), expected, strict=True):
        torch.testing.assert_close(scores[name], matrix, rtol=1e-12, atol=0)


@pytest.mark.parametrize("masked", [False, True])
def test_every_layer_has_the_same_sum_whatever_batch_norm_has_seen(masked):
    network = trained_like()
    for name, parameter in network.named_parameters():
        if parameter.dim() == 1 and "bias" in name:
            torch.nn.init.zeros_(parameter)
    scores = synflow(context(network, mask=random_mask(network) if masked else None))
    sums = torch.stack([layer.sum() for layer in scores.values()])
    assert len(sums) > 2
    torch.testing.assert_close(sums, sums[:1].expand(len(sums)), rtol=1e-10, atol=0)


def test_statistics_and_shifts_of_batch_norm_do_not_matter():
    one, other = trained_like(), trained_like()
    for norm in other.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean += 3
            norm.running_var *= 7
            with torch.no_grad():
                norm.bias += 1
                norm.weight *= -1
    left, right = synflow(context(one)), synflow(context(other))
    assert all(torch.equal(layer, right[name]) for name, layer in left.items())


def test_scores_beyond_double_precision_are_told():
    network = initialise(Network(name="lenet_300_100"), 3, (2, 6, 6), 0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(1e37).mul_(1e37 if parameter.dim() == 1 else 1)
        network = nn.Sequential(network, *[nn.Linear(3, 3, bias=False) for _ in range(9)])
        for layer in network[1:]:
            layer.weight.fill_(1e38)
    with pytest.raises(ValueError, match="synflow's scores are too large"):
        synflow(context(network))
