"""What holds of every criterion."""

import copy
from collections.abc import Mapping

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from tests.pruning.criteria.given import IMAGES, by_hand, context, random_mask, trained_like
from tests.pruning.masked import Attention
from tests.training.small import CLASSES
from winnow import methods
from winnow.params.options import options
from winnow.pruning.context import Context
from winnow.pruning.families import CRITERIA
from winnow.pruning.masks import count_left
from winnow.pruning.prune import prune

NAMES = methods.names(CRITERIA)


def scores_of(name: str, given: Context) -> Mapping[str, torch.Tensor]:
    criterion = methods.find(CRITERIA, name)
    small = {"batches": 2, "batch_size": 8}
    found = criterion(given, **{key: value for key, value in small.items() if key in options(criterion)})
    return {layer: torch.as_tensor(scores) for layer, scores in found.items()}


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_numbers_and_nothing_else_changes(name):
    network = trained_like().train()
    given = context(network, mask=random_mask(network))
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    torch.manual_seed(5)
    state = torch.get_rng_state()
    scores = scores_of(name, given)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[key], tensor) for key, tensor in network.state_dict().items())
    assert [module.training for module in network.modules()] == modes
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())
    assert {key: layer.shape for key, layer in scores.items()} == {k: layer.shape for k, layer in given.mask.items()}
    assert all(layer.isfinite().all() and not layer.requires_grad for layer in scores.values())
    again = scores_of(name, given)
    assert all(torch.equal(layer, again[key]) for key, layer in scores.items())


@pytest.mark.parametrize("name", NAMES)
def test_the_memory_format_changes_nothing_but_rounding(name):
    network = trained_like()
    one = scores_of(name, context(network))
    other = scores_of(name, context(network.to(memory_format=torch.channels_last)))
    for key, layer in one.items():
        torch.testing.assert_close(layer, other[key], rtol=1e-3, atol=1e-3 * float(layer.abs().max()))


@pytest.mark.parametrize("name", NAMES)
def test_cuts_are_exact(name):
    network = trained_like()
    given = context(network, mask=random_mask(network))
    assert count_left(prune(scores_of(name, given), given.mask, 50, floor=1)) == 50


@pytest.mark.parametrize("name", sorted({*NAMES} - {"random", "wanda"}))  # random draws, wanda ranks row by row
def test_with_equal_scores_the_first_weights_go_first(name):
    """All weights are 0, so no weight is worth more than another."""
    network = trained_like()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.weight.zero_()
            if isinstance(module, nn.BatchNorm2d):
                module.weight.fill_(1)
    given = context(network, mask=random_mask(network))
    expected, gone = {}, count_left(given.mask) // 2
    for key in sorted(given.mask):
        layer = given.mask[key].flatten().tolist()
        for place, kept in enumerate(layer):
            if kept and gone:
                layer[place], gone = False, gone - 1
        expected[key] = layer
    scores = scores_of(name, given)
    assert {float(value) for key, layer in scores.items() for value in layer[given.mask[key]]} in ({0.0}, {1.0})
    found = prune(scores, given.mask, count_left(given.mask) - count_left(given.mask) // 2)
    assert {key: layer.flatten().tolist() for key, layer in found.items()} == expected


ELEMENTWISE = ["force", "grasp", "lrp", "magnitude", "obd", "snip", "synflow", "taylor", "woodfisher"]


@pytest.mark.parametrize("name", ELEMENTWISE)  # each weight of a layer has a score of its own, whatever its place
def test_permuting_hidden_units_permutes_the_mask(name):
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 3, 3), nn.ReLU(), nn.Flatten(),
        nn.Linear(12, CLASSES),
    ).double()  # fmt: skip
    other, order = copy.deepcopy(network), torch.tensor([2, 0, 3, 1])
    with torch.no_grad():
        other[0].weight.copy_(network[0].weight[order])
        other[0].bias.copy_(network[0].bias[order])
        other[3].weight.copy_(network[3].weight[:, order])
    inputs, labels = next(iter(context(network).batches(1, 16)))
    one, another = (
        prune(scores_of(name, given), given.mask, count_left(given.mask) // 3)
        for given in (
            by_hand(each.to(IMAGES.device), inputs.double(), labels, cross_entropy) for each in (network, other)
        )
    )
    assert not torch.equal(one["0.weight"], another["0.weight"])
    assert torch.equal(one["0.weight"][order], another["0.weight"])
    assert torch.equal(one["3.weight"][:, order], another["3.weight"])
    assert torch.equal(one["6.weight"], another["6.weight"])


@pytest.mark.parametrize("name", NAMES)
def test_the_weights_of_an_attention_have_scores(name):
    given = context(_tokens())
    assert {key for key in scores_of(name, given) if "in_proj" in key} == {"1.attention.in_proj_weight"}


def _tokens() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(IMAGES.shape[0], 3, 1), Attention(), nn.Linear(2, CLASSES))
