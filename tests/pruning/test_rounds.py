"""Cuts in rounds: the counts, what may return, and what rounds do not change."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.pruning.criteria.given import context, random_mask, trained_like
from winnow.pruning.allocations.erk import erk
from winnow.pruning.context import Context
from winnow.pruning.criteria.force import force
from winnow.pruning.criteria.magnitude import magnitude
from winnow.pruning.criteria.snip import snip
from winnow.pruning.criteria.synflow import synflow
from winnow.pruning.masks import apply, count_left, is_nested, layer_counts
from winnow.pruning.prune import prune
from winnow.pruning.rounds import comes_back, in_rounds, usual_rounds


def same(one, other) -> bool:
    return all(torch.equal(layer, other[name]) for name, layer in one.items())


def test_the_counts_fall_by_a_power_and_each_round_sees_the_last_one():
    given, seen = context(trained_like()), []

    def score(now: Context):
        assert same(now.weights, apply(given.weights, now.mask))
        seen.append(now.mask)
        return magnitude(now)

    every = count_left(given.mask)
    mask = in_rounds(given, score, prune, rounds=4)(round(0.1 * every))
    counts = [count_left(one) for one in [*seen, mask]]
    assert counts == [every, *(round(every * (round(0.1 * every) / every) ** (k / 4)) for k in (1, 2, 3, 4))]
    assert all(is_nested(later, earlier) for earlier, later in zip(seen, [*seen[1:], mask], strict=True))


@pytest.mark.parametrize("left", [0, 1, 60])
def test_magnitudes_do_not_change_from_round_to_round(left):
    given = context(trained_like(), mask=random_mask(trained_like()))
    assert same(in_rounds(given, magnitude, prune, rounds=7)(left), in_rounds(given, magnitude, prune)(left))


def test_nothing_is_left_to_do_where_nothing_is_cut():
    given = context(trained_like())
    assert same(in_rounds(given, score(snip), prune, rounds=3)(count_left(given.mask)), given.mask)


def test_synflow_in_rounds_empties_no_layer():
    torch.manual_seed(0)
    wide = nn.Sequential(nn.Flatten(), nn.Linear(72, 9), nn.ReLU(), nn.Linear(9, 90), nn.ReLU(), nn.Linear(90, 3))
    given = context(wide)
    assert usual_rounds(synflow) == 100
    assert min(layer_counts(in_rounds(given, synflow, prune)(10)).values()) == 0
    assert min(layer_counts(in_rounds(given, synflow, prune, rounds=100)(10)).values()) > 0


def force_as_published(given: Context, left: int, rounds: int):
    """Every round ranks all weights, by the dense weight times the gradient at the masked network."""
    weights = given.weights
    mask, every = given.mask, count_left(given.mask)
    for k in range(1, rounds + 1):
        network = trained_like()
        network.load_state_dict(apply(network.state_dict(), mask))
        gradients = Context(network, mask, given.batches).gradients(1, 40)
        flat = np.concatenate([(weights[name] * gradients[name]).abs().cpu().numpy().ravel() for name in sorted(mask)])
        kept = np.zeros(len(flat), bool)
        kept[np.argsort(flat, kind="stable")[len(flat) - round(every * (left / every) ** (k / rounds)) :]] = True
        ends = np.cumsum([mask[name].numel() for name in sorted(mask)])[:-1]
        parts = zip(sorted(mask), np.split(kept, ends), strict=True)
        mask = {name: torch.from_numpy(part.reshape(tuple(mask[name].shape))) for name, part in parts}
    return mask


def score(criterion):
    return lambda given: criterion(given, batch_size=40)


def test_weights_come_back_in_force_and_not_in_iterative_snip():
    given = context(trained_like())
    assert (comes_back(force), comes_back(snip), usual_rounds(force), usual_rounds(snip)) == (True, False, 10, 1)
    seen = []

    def spied(now: Context):
        seen.append(now.mask)
        return force(now, batch_size=40)

    found = in_rounds(given, spied, prune, True, rounds=5)(40)
    assert same(found, force_as_published(given, 40, 5))
    assert not all(is_nested(later, earlier) for earlier, later in zip(seen, [*seen[1:], found], strict=True))
    assert not same(found, in_rounds(given, score(snip), prune, rounds=5)(40))


def test_a_cut_does_not_depend_on_what_the_network_is_used_for_meanwhile():
    """As where the errors of several cuts are measured."""
    network = trained_like()
    given = context(network)
    for rounds in (1, 4):
        expected = in_rounds(context(trained_like()), score(force), prune, True, rounds=rounds)(40)
        cut = in_rounds(given, score(force), prune, True, rounds=rounds)
        network.load_state_dict({name: tensor * 0 for name, tensor in network.state_dict().items()})
        assert same(cut(40), expected)
        network.load_state_dict(trained_like().state_dict())


def test_force_in_one_round_is_snip():
    given = context(trained_like())
    assert same(in_rounds(given, score(force), prune, True)(40), in_rounds(given, score(snip), prune)(40))


def test_half_of_the_weights_and_the_inverted_half_are_complements():
    given = context(trained_like())
    left = count_left(given.mask)
    assert left % 2 == 0
    plain, inverted = (in_rounds(given, magnitude, prune, inverted=way)(left // 2) for way in (False, True))
    assert all(torch.equal(plain[name], ~inverted[name]) for name in plain)


def test_rounds_keep_to_the_allocation():
    given = context(trained_like())

    def by_erk(scores, mask, left):
        return prune(scores, mask, left, erk)

    one, many = (layer_counts(in_rounds(given, score(snip), by_erk, rounds=n)(50)) for n in (1, 5))
    assert one == many
