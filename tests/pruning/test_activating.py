"""Activate while pruning: by hand, against a naive loop, and in a level."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.pruning.masked import cut_smallest, layers
from tests.tickets.test_level import begun_by, dense, level_of, point, rule, same
from winnow.pruning.activating import activating
from winnow.pruning.masks import Mask, count_left, is_nested
from winnow.tickets.rewind import load_rewind_point

__all__ = ["dense"]  # the fixture


def by_size(weights: dict[str, Tensor], mask: Mask, left: int) -> Mask:
    return cut_smallest(weights, mask, 1 - left / count_left(mask))


def test_a_cut_of_half_by_hand() -> None:
    """Of eight weights four go, two by size: 0.1 and -0.2. The others are of the negative ones -1, -3, -4, which moved
    by 2, 0.5 and 1: -3 and -4."""
    trained = {"w": torch.tensor([[0.1, -0.2, -1.0, 2.0], [-3.0, -4.0, 5.0, 0.3]])}
    started = {"w": torch.tensor([[0.1, -0.2, 1.0, 2.0], [-2.5, -3.0, 5.0, 0.3]])}
    mask = {"w": torch.ones(2, 4, dtype=torch.bool)}
    cut = activating(lambda left: by_size(trained, mask, left), mask, trained, started, 0, activate=0.25)
    assert cut(4)["w"].tolist() == [[False, False, True, True], [False, False, True, True]]
    with pytest.raises(ValueError, match=r"^activate: 0.75 is more than the negative weights"):
        activating(lambda left: by_size(trained, mask, left), mask, trained, started, 0, activate=0.75)(2)


@given(layers(), st.data())
def test_it_is_a_naive_loop(drawn: tuple[dict[str, Tensor], Mask], data: Any) -> None:
    trained, mask = drawn
    rng = np.random.default_rng(data.draw(st.integers(0, 9)))
    started = {name: torch.from_numpy(rng.normal(size=w.shape).astype(np.float32)) for name, w in trained.items()}
    before = count_left(mask)
    left, activate = data.draw(st.integers(0, before)), data.draw(st.sampled_from([0.0, 0.1, 0.3]))
    spared = min(round(activate * before), before - left)
    expected = by_size(trained, mask, left + spared)
    places = [(name, i) for name in sorted(mask) for i in range(mask[name].numel())]
    negative = [(n, i) for n, i in places if expected[n].view(-1)[i] and trained[n].reshape(-1)[i] < 0]
    cut = activating(lambda count: by_size(trained, mask, count), mask, trained, started, 0, activate=activate)
    if spared > len(negative):
        with pytest.raises(ValueError, match=r"^activate: "):
            cut(left)
        return
    moved = {(n, i): float((trained[n] - started[n]).abs().reshape(-1)[i]) for n, i in negative}
    for name, i in sorted(negative, key=lambda place: moved[place])[:spared]:
        expected[name].view(-1)[i] = False
    found = cut(left)
    assert same(found, expected)
    assert count_left(found) == left


def test_a_level_prunes_as_much_as_without_it(dense: Path, tmp_path: Path) -> None:
    parent, rewound = level_of(dense), load_rewind_point(point(dense))
    plain, fewer = (begun_by(rule(prune=cut), parent, dense, tmp_path) for cut in (0.4, 0.3))
    ticket = begun_by(rule(prune=0.4, activate=0.1), parent, dense, tmp_path)
    assert count_left(ticket.mask) == count_left(plain.mask)
    assert is_nested(ticket.mask, fewer.mask)
    assert not same(ticket.mask, plain.mask)
    moved, kept = [], []
    for name, layer in fewer.mask.items():
        own = parent.state_dict()[name]
        distance = (own - rewound[name]).abs()
        assert (own[layer & ~ticket.mask[name]] < 0).all()
        moved += distance[layer & ~ticket.mask[name]].tolist()
        kept += distance[ticket.mask[name] & (own < 0)].tolist()
    assert 0 < max(moved) <= min(kept)


def test_where_it_has_no_place_is_told() -> None:
    for choices, words in (
        ({"parent": "none", "criterion": "snip"}, "activate: without a parent no weight has moved"),
        ({"when": "gradual"}, "activate: no such key"),
        ({"structure": "channels"}, "activate: no such key"),
        ({"activate": 1.0}, "activate: must be below 1"),
    ):
        with pytest.raises(ValueError, match=f"^pruning.levels.x.{words}"):
            rule(**{"prune": 0.5, "activate": 0.1, **choices})
