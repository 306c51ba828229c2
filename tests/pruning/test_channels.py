"""Whole channels are pruned: by hand, against a naive loop, in other orders, and as a level."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.pruning.test_structures import dense_ticket, rule
from tests.tickets.test_level import IMAGES, SEED, SPLITS
from winnow.networks import initialise
from winnow.params.training import Network
from winnow.pruning.allocations.global_ import global_
from winnow.pruning.allocations.precropping import precropping
from winnow.pruning.allocations.uniform import uniform
from winnow.pruning.channel_groups import channel_groups
from winnow.pruning.context import Context
from winnow.pruning.criteria.filter_norm import filter_norm
from winnow.pruning.criteria.magnitude import magnitude
from winnow.pruning.layers import Layer
from winnow.pruning.masks import Mask, apply, count_left, is_nested, ones
from winnow.pruning.multiplications import multiplications, positions
from winnow.pruning.prune import prune
from winnow.pruning.structures.channels import _lefts, channels
from winnow.tickets.level import Material, begin_level

SHAPE = (3, 8, 8)


def network_of(name: str, width: int | None = None, seed: int = 0) -> nn.Module:
    return initialise(Network(name=name, width=width), 5, SHAPE, seed)


def context(network: nn.Module, mask: Mask | None = None) -> Context:
    shape = (1, network[0].in_features) if isinstance(network, Row) else (1, *SHAPE)
    batch = (torch.zeros(shape), torch.zeros(1, dtype=torch.long))
    return Context(network, ones(network) if mask is None else mask, lambda count, size: [batch] * count)


class Row(nn.Sequential):
    """Linear layers one behind the other."""


def linear(*layers: list[list[float]]) -> Row:
    network = Row()
    with torch.no_grad():
        for rows in layers:
            network.append(nn.Linear(len(rows[0]), len(rows)))
            network[-1].weight.copy_(torch.tensor(rows))
    return network


def test_by_hand():
    """Channels of norm 3, 7 and 4 between two inputs and one output, each of three weights."""
    given = context(linear([[1.0, 2], [-3, 4], [2, -2]], [[9.0, 1, 1]]))
    scores = filter_norm(given)
    found = channels(scores, given.mask, given, 6, global_)
    assert found["0.weight"].tolist() == [[False] * 2, [True] * 2, [True] * 2]
    assert found["1.weight"].tolist() == [[False, True, True]]
    assert count_left(channels(scores, given.mask, given, 5, global_)) == 3  # two channels would have 6 weights
    assert channels(scores, given.mask, given, 3, global_)["1.weight"].tolist() == [[False, True, False]]
    assert count_left(channels(scores, given.mask, given, 9, global_)) == 9


def test_a_mean_and_a_sum_over_the_layers_that_write():
    """Two layers write to one sum: their rows score (1, 5) and (6, 0), of 1 and 3 weights each."""

    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.last = nn.Linear(1, 2), nn.Linear(3, 2), nn.Linear(2, 1)

        def forward(self, inputs: Tensor) -> Tensor:
            return self.last(self.a(inputs[:, :1]) + self.b(inputs))

    given = Context(network := Two(), ones(network), lambda count, size: [(torch.zeros(1, 3), torch.zeros(1))])
    scores = {"a.weight": torch.tensor([[1.0], [5.0]]), "b.weight": torch.tensor([[2.0] * 3, [0.0] * 3])}
    scores["last.weight"] = torch.zeros(1, 2)
    mean = channels(scores, given.mask, given, 5, global_)  # 1.5 and 2.5
    assert mean["last.weight"].tolist() == [[False, True]]
    total = channels(scores, given.mask, given, 5, global_, reduce="sum")  # 7 and 5
    assert total["last.weight"].tolist() == [[True, False]]
    assert [kept[:, 0].tolist() for kept in (total["a.weight"], total["b.weight"])] == [[True, False]] * 2


@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("left", [0.9, 0.5, 0.2])
def test_against_a_naive_loop(left, relative):
    """Of a network in a row: one channel after the other goes, from all layers together, until few enough remain."""
    network = network_of("convnet", 3)
    layers = [("0.weight", "4.weight"), ("4.weight", "8.weight"), ("8.weight", "13.weight")]
    ranking = []
    for writer, reader in layers:
        norms = [sum(abs(w) for w in row.flatten().tolist()) for row in network.get_parameter(writer)]
        scale = sum(norms) / len(norms) if relative else 1
        ranking += [(norm / scale, writer, reader, channel) for channel, norm in enumerate(norms)]
    expected = ones(network)
    most = round(left * count_left(expected))
    for _, writer, reader, channel in sorted(ranking):
        if count_left(expected) <= most:
            break
        if expected[writer].flatten(1).any(1).sum() == 1:
            continue
        expected[writer][channel] = False
        expected[reader][:, channel] = False
    given = context(network)
    found = channels(filter_norm(given), given.mask, given, most, global_, relative=relative)
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_layers_around_a_sum_lose_the_same_channels():
    given = context(network_of("resnet8", 4))
    found = channels(magnitude(given), given.mask, given, count_left(given.mask) // 2, uniform)
    rows = {name: kept.flatten(1).any(1).tolist() for name, kept in found.items()}
    columns = {name: kept.transpose(0, 1).flatten(1).any(1).tolist() for name, kept in found.items()}
    for name, kept in found.items():  # what remains is a block
        assert kept.flatten(1).sum() == sum(rows[name]) * sum(columns[name]) * kept[0, 0].numel()
    stage = rows["conv.weight"]
    assert stage == rows["blocks.0.conv2.weight"] == columns["blocks.0.conv1.weight"]
    assert stage == columns["blocks.1.conv1.weight"] == columns["blocks.1.shortcut.0.weight"]
    assert rows["blocks.2.conv2.weight"] == rows["blocks.2.shortcut.0.weight"] == columns["linear.weight"]
    assert rows["blocks.2.conv1.weight"] == columns["blocks.2.conv2.weight"]
    assert all(rows["linear.weight"])
    assert all(columns["conv.weight"])
    assert sum(stage) == 3  # of 4; uniform: all groups keep the same fraction
    assert {name: sum(kept) / len(kept) for name, kept in rows.items()} == {
        name: 1 if name == "linear.weight" else pytest.approx(0.7, abs=0.11) for name in rows
    }


@settings(deadline=None, max_examples=20)
@drawn(st.integers(0, 100), st.randoms(use_true_random=False), st.sampled_from([0.3, 0.6, 0.9]))
def test_channels_in_another_order_are_pruned_alike(seed, shuffled, left):
    network = network_of("convnet", 3, seed)
    other, order = copy.deepcopy(network), torch.tensor(shuffled.sample(range(6), 6))
    with torch.no_grad():
        other.get_parameter("4.weight").copy_(network.get_parameter("4.weight")[order])
        other.get_parameter("8.weight").copy_(network.get_parameter("8.weight")[:, order])
    found = []
    for given in (context(network), context(other)):
        most = round(left * count_left(given.mask))
        found.append(channels(filter_norm(given), given.mask, given, most, global_))
    assert torch.equal(found[0]["4.weight"][order], found[1]["4.weight"])
    assert torch.equal(found[0]["8.weight"][:, order], found[1]["8.weight"])
    assert all(torch.equal(found[0][name], found[1][name]) for name in ("0.weight", "13.weight"))


def test_precropping_by_hand():
    """Groups of 4 and 2 channels. Of the 8 + 8 weights around the first, 4 are among the 6 highest; of the 8 + 4 around
    the second, 4 are. So these keep 4 sqrt(4/16) = 2 and 2 sqrt(4/12) = 1.15 channels, in proportion."""
    given = context(linear([[1.0, 1]] * 4, [[1.0] * 4] * 2, [[1.0, 1]] * 2))
    scores = {name: torch.zeros(kept.shape) for name, kept in given.mask.items()}
    scores["0.weight"][0], scores["1.weight"][0, :2], scores["2.weight"][0] = 3.0, 2.0, 1.0
    found = _lefts(
        {group.name: group for group in channel_groups(given.network, torch.zeros(1, 2))}, scores, given.mask, 6
    )
    assert found == {"0.weight": 4 / 16, "1.weight": 4 / 12}
    shared = {"a": Layer((4,), np.ones(4), 1, left=4 / 16), "b": Layer((2,), np.ones(2), 1, left=4 / 12)}
    assert precropping(shared, 3) == {"a": 2, "b": 1}  # 1.9 and 1.1
    assert precropping(shared, 5) == {"a": 3, "b": 2}  # 3.2 and 1.8


@pytest.mark.parametrize("name", ["convnet", "resnet8"])
@pytest.mark.parametrize("left", [0.5, 0.25])
def test_precropping_of_even_layers_is_uniform(name, left):
    """If a ranking keeps the same fraction of each layer, every group keeps the root of it."""
    given = context(network_of(name, 8))
    ranks = {
        layer: torch.linspace(0, 1, kept.numel())[torch.randperm(kept.numel())].reshape(kept.shape)
        for layer, kept in given.mask.items()
    }
    most = round(left * count_left(given.mask))
    found, even = (channels(ranks, given.mask, given, most, by) for by in (precropping, uniform))
    assert count_left(found) <= most
    for group in channel_groups(given.network, torch.zeros(1, *SHAPE)):
        rows = [mask[group.name].flatten(1).any(1).sum().item() for mask in (found, even)]
        assert abs(rows[0] - rows[1]) <= 1
        assert rows[0] == pytest.approx(group.size * left**0.5, abs=2)


@settings(deadline=None, max_examples=15)
@drawn(st.integers(0, 99), st.sampled_from(["convnet", "resnet8"]), st.floats(0.1, 0.95))
def test_precropping_is_within_one_channel_of_the_weights_asked_for(seed, name, left):
    given = context(network_of(name, 6, seed))
    most = round(left * count_left(given.mask))
    found = channels(magnitude(given), given.mask, given, most, precropping)
    wide = {key: (int(kept.flatten(1).any(1).sum()), int(kept.transpose(0, 1).flatten(1).any(1).sum()))
            for key, kept in found.items()}  # fmt: skip
    assert sum(a * b * given.mask[key][0, 0].numel() for key, (a, b) in wide.items()) == count_left(found) <= most
    one_more = []
    for group in channel_groups(given.network, torch.zeros(1, *SHAPE)):
        rows, columns = ({part.weight for part in parts} for parts in (group.writers, group.readers))
        one_more.append(
            sum(
                ((a + (key in rows)) * (b + (key in columns)) - a * b) * given.mask[key][0, 0].numel()
                for key, (a, b) in wide.items()
            )
        )
    assert most - count_left(found) < max(one_more)


def test_precropping_keeps_more_where_more_weights_remain():
    """Against single weights: the order of the groups' widths is that of their layers' densities."""
    network = network_of("convnet", 8)
    with torch.no_grad():
        for name, scale in (("0.weight", 3.0), ("4.weight", 1.0), ("8.weight", 0.3), ("13.weight", 0.3)):
            network.get_parameter(name).div_(network.get_parameter(name).std()).mul_(scale)
    given = context(network)
    most = round(0.3 * count_left(given.mask))
    single = prune(magnitude(given), given.mask, most)
    around = [("0.weight", "4.weight"), ("4.weight", "8.weight"), ("8.weight", "13.weight")]
    lefts = [sum(int(single[n].sum()) for n in pair) / sum(single[n].numel() for n in pair) for pair in around]
    found = channels(magnitude(given), given.mask, given, most, precropping)
    fractions = [found[name].flatten(1).any(1).float().mean().item() for name, _ in around]
    scale = fractions[2] / lefts[2] ** 0.5
    assert fractions == pytest.approx([min(1, scale * left**0.5) for left in lefts], abs=0.13)
    assert fractions == sorted(fractions, reverse=True)


def test_what_a_parent_has_pruned_stays_pruned_and_unread_channels_go_first():
    network = network_of("convnet", 3)
    mask = ones(network)
    mask["4.weight"][:, 1] = False  # nothing reads channel 1 of the first layer
    mask["8.weight"][0, :, 0, 0] = False
    network.load_state_dict(apply(network.state_dict(), mask))
    given = context(network, mask)
    found = channels(filter_norm(given), mask, given, count_left(mask) - 1, global_, relative=False)
    assert is_nested(found, mask)
    assert not found["0.weight"][1].any()
    more = channels(filter_norm(given), found, given, count_left(found) // 2, global_)
    assert is_nested(more, found)


def test_every_group_keeps_its_least_channels():
    given = context(network_of("resnet8", 4))
    most = round(0.1 * count_left(given.mask))
    found = channels(filter_norm(given), given.mask, given, most, global_, relative=False, least=2)
    assert all(kept.flatten(1).any(1).sum() >= 2 for kept in found.values())
    with pytest.raises(ValueError, match=r"^prune: with 6 channels, .* 6 groups of layers keep, \d+ weights remain"):
        channels(filter_norm(given), given.mask, given, 10, global_)
    with pytest.raises(ValueError, match=r"^structure: the network has no channels"):
        channels({}, {}, context(linear([[1.0, 2.0]])), 1, global_)
    diverged = {name: torch.full_like(scores, torch.nan) for name, scores in filter_norm(given).items()}
    with pytest.raises(ValueError, match="the training diverged"):
        channels(diverged, given.mask, given, most, global_)


def test_every_group_keeps_a_multiple():
    given = context(network_of("convnet", 6))  # groups of 6, 12 and 24 channels
    for left in (0.9, 0.5, 0.3):
        most = round(left * count_left(given.mask))
        found = channels(filter_norm(given), given.mask, given, most, global_, multiple=4)
        assert count_left(found) <= most
        for name, size in (("0.weight", 6), ("4.weight", 12), ("8.weight", 24)):
            kept = int(found[name].flatten(1).any(1).sum())
            assert kept in {*range(4, size, 4), size}


def test_multiplications_by_hand():
    network, size = network_of("resnet8", 4), 8 * 8
    used = positions(network, torch.zeros(2, *SHAPE))
    assert used == {
        "conv.weight": size, "blocks.0.conv1.weight": size, "blocks.0.conv2.weight": size,
        "blocks.1.conv1.weight": size // 4, "blocks.1.conv2.weight": size // 4, "blocks.1.shortcut.0.weight": size // 4,
        "blocks.2.conv1.weight": size // 16, "blocks.2.conv2.weight": size // 16,
        "blocks.2.shortcut.0.weight": size // 16, "linear.weight": 1,
    }  # fmt: skip
    assert multiplications(ones(network), used) == (
        size * 9 * (3 * 4 + 2 * 4 * 4) + size // 4 * (9 * (4 * 8 + 8 * 8) + 4 * 8)
        + size // 16 * (9 * (8 * 16 + 16 * 16) + 8 * 16) + 16 * 5
    )  # fmt: skip


def test_multiplications_of_tokens():
    """Each of 16 tokens passes through the attention."""
    from tests.pruning.masked import Attention

    assert positions(Attention(), torch.zeros(2, 3, 6, 6)) == {
        "linear.weight": 1, "conv.weight": 16, "attention.in_proj_weight": 16, "attention.out_proj.weight": 16,
    }  # fmt: skip


def test_half_of_the_multiplications():
    network = network_of("resnet20")
    given, used = context(network), positions(network, torch.zeros(1, *SHAPE))
    whole = multiplications(given.mask, used)
    found = channels(filter_norm(given), given.mask, given, count_left(given.mask) // 2, global_, of="multiplications")
    assert 0.48 * whole < multiplications(found, used) <= 0.5 * whole
    assert abs(count_left(found) / count_left(given.mask) - 0.5) > 0.01


def test_a_level_takes_prune_and_an_allocation_of_channels():
    found = rule(structure="channels", criterion="filter_norm", norm="l2", prune=0.5, of="multiplications")
    assert found.structure.keywords == {
        "of": "multiplications",
        "reduce": "mean",
        "relative": True,
        "least": 1,
        "multiple": 1,
    }
    assert found.fraction == 0.5
    assert rule(structure="channels", prune=0.5, allocation="uniform", rounds=3).rounds.keywords["rounds"] == 3
    for choices, words in (
        ({}, ": structure channels needs prune, such as prune: 0.2"),
        ({"max_error_rise": 0.1}, ": structure channels needs prune, such as prune: 0.2"),
        ({"prune": 0.5, "max_error_rise": 0.1}, ": structure channels takes no max_error_rise; leave it out"),
        ({"prune": 0.5, "allocation": "erk"}, ".allocation: structure channels counts channels, and takes another"),
        (
            {"prune": 0.5, "structure": "weights", "allocation": "precropping"},
            ".allocation: precropping counts channels",
        ),
        ({"prune": 0.5, "when": "gradual"}, ".when: structure channels takes none; leave it out"),
        ({"prune": 0.5, "criterion": "none"}, ".criterion: structure channels needs one, such as magnitude"),
        ({"prune": 0.5, "of": "layers"}, ".of: "),
        ({"prune": 0.5, "least": 0}, ".least: "),
    ):
        with pytest.raises(ValueError, match=f"^pruning.levels.x{words}"):
            rule(**{"structure": "channels", **choices})


def test_a_level_from_a_trained_parent(tmp_path: Path):
    parent = dense_ticket(Network(name="resnet8", width=4), tmp_path)
    for criterion in ("fpgm", "batch_norm_scale", "filter_taylor"):
        options = {"batch_size": 8} if criterion == "filter_taylor" else {}
        half = rule(structure="channels", criterion=criterion, weights="trained", prune=0.5, rounds=2, **options)
        _, mask, facts = begin_level(half, parent, {}, SEED, Material(IMAGES, SPLITS))
        assert 0.4 < count_left(mask) / count_left(parent.mask) <= 0.5
        assert np.isfinite(list(facts["after_cuts"][0].values())).all()
        assert facts["after_cuts"][1] == {}
