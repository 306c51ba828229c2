import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tests.pruning.masked import cut_smallest, layers
from winnow.pruning.allocations.of_parent import of_parent
from winnow.pruning.criteria.random import random
from winnow.pruning.masks import count_left, is_nested, layer_counts, ones, pack, unpack
from winnow.pruning.prune import left_after, prune
from winnow.streams import numpy_stream

floors = st.integers(0, 6) | st.floats(0, 1)


def flat(layers: dict[str, torch.Tensor]) -> np.ndarray:
    return np.concatenate([layers[name].numpy().ravel() for name in sorted(layers)])


def keep_largest(weights, mask, left, floor=0) -> dict[str, torch.Tensor]:
    return prune({name: weights[name].abs() for name in mask}, mask, left, floor=floor)


def cut_random(like, seed: int) -> dict[str, torch.Tensor]:
    """As many weights of every layer as ``like`` leaves, at random places."""
    scores = random(SimpleNamespace(weights={name: layer.float() for name, layer in like.items()}, seed=seed))
    return prune(scores, like, count_left(like), of_parent, anywhere=True)


def by_sorting(weights, mask, left) -> np.ndarray:
    """The flat mask by a stable sort of all the magnitudes, without a floor."""
    alive = flat(mask).copy()
    order = np.argsort(np.where(alive, np.abs(flat(weights)), np.inf), kind="stable")
    alive[order[: alive.sum() - left]] = False
    return alive


def one_by_one(weights, mask, left, least) -> np.ndarray:
    """The flat mask by cutting the smallest weight of the layers that are above their floor, again and again."""
    layer_of = np.concatenate([np.full(mask[name].numel(), name) for name in sorted(mask)])
    alive, magnitudes = flat(mask).copy(), np.abs(flat(weights))
    while alive.sum() > left:
        open_layers = [name for name in mask if alive[layer_of == name].sum() > least[name]]
        alive[np.argmin(np.where(alive & np.isin(layer_of, open_layers), magnitudes, np.inf))] = False
    return alive


def normal_network(seed: int = 0) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 16, 3), nn.Flatten(), nn.Linear(64, 10))
    generator = torch.Generator().manual_seed(seed)
    mask = ones(network)
    return {name: torch.randn(layer.shape, generator=generator) for name, layer in mask.items()}, mask


# By magnitude


@given(layers(), st.floats(0, 0.99))
def test_the_smallest_are_cut_over_all_layers_together(drawn, fraction):
    weights, mask = drawn
    cut = cut_smallest(weights, mask, fraction)
    assert count_left(cut) == left_after(mask, fraction) == round(count_left(mask) * (1 - fraction))
    assert is_nested(cut, mask)
    np.testing.assert_array_equal(flat(cut), by_sorting(weights, mask, count_left(cut)))
    assert {name: layer.shape for name, layer in cut.items()} == {name: layer.shape for name, layer in mask.items()}


@given(layers(), st.floats(0, 1), floors)
def test_the_floor_holds_and_the_number_is_exact(drawn, density, floor):
    weights, mask = drawn
    left = round(count_left(mask) * density)
    before = layer_counts(mask)
    least = {
        name: min(before[name], floor if isinstance(floor, int) else math.ceil(floor * mask[name].numel()))
        for name in mask
    }
    if sum(least.values()) > left:
        with pytest.raises(ValueError, match=r"^floor: "):
            keep_largest(weights, mask, left, floor)
        return
    cut = keep_largest(weights, mask, left, floor)
    after = layer_counts(cut)
    assert count_left(cut) == left
    assert is_nested(cut, mask)
    assert all(after[name] >= least[name] for name in mask)
    np.testing.assert_array_equal(flat(cut), one_by_one(weights, mask, left, least))


@given(layers(), st.floats(0, 1))
def test_a_floor_that_does_not_bind_changes_nothing(drawn, density):
    weights, mask = drawn
    left = round(count_left(mask) * density)
    plain = keep_largest(weights, mask, left)
    lowest = min(layer_counts(plain).values())
    np.testing.assert_array_equal(flat(keep_largest(weights, mask, left, lowest)), flat(plain))


@given(layers(), st.floats(0, 0.99))
def test_the_order_of_layers_in_a_dict_does_not_matter(drawn, fraction):
    weights, mask = drawn
    from_file = unpack(dict(sorted(pack(mask).items())))
    backwards = dict(reversed(weights.items()))
    np.testing.assert_array_equal(
        flat(cut_smallest(backwards, from_file, fraction)), flat(cut_smallest(weights, mask, fraction))
    )
    np.testing.assert_array_equal(flat(cut_random(from_file, 1)), flat(cut_random(mask, 1)))


def test_by_hand():
    weights = {"a": torch.tensor([[0.1, -3.0], [0.2, 0.0]]), "b": torch.tensor([[-0.1, 0.1, 5.0, 0.05]])}
    mask = {"a": torch.ones(2, 2, dtype=torch.bool), "b": torch.tensor([[True, True, True, False]])}
    # the zero of a, and, of three times 0.1, the first two; 0.05 is gone already
    cut = keep_largest(weights, mask, 4)
    assert cut["a"].tolist() == [[False, True], [True, False]]
    assert cut["b"].tolist() == [[False, True, True, False]]
    # the 0.1 of a would be third, were b not to keep its 0.05
    spared = keep_largest({"a": weights["a"], "b": weights["b"] / 100}, mask, 3, floor=1)
    assert spared["a"].tolist() == [[False, True], [True, False]]
    assert spared["b"].tolist() == [[False, False, True, False]]


@pytest.mark.parametrize("fraction", [0.2, 0.5, 0.03])
@pytest.mark.parametrize("total", [3, 97, 1000, 270_896])
def test_levels_leave_a_power_of_what_there_was(fraction, total):
    mask = {"a": torch.ones(1, total, dtype=torch.bool)}
    weights = {"a": torch.from_numpy(np.random.default_rng(total).normal(size=(1, total)).astype(np.float32))}
    for level in range(1, 21):
        cut = cut_smallest(weights, mask, fraction)
        assert is_nested(cut, mask)
        mask = cut
        assert (
            abs(count_left(mask) - total * (1 - fraction) ** level)
            <= 0.5 * (1 - (1 - fraction) ** level) / fraction + 1e-6
        )


def test_cuts_in_a_row_are_one_cut_where_nothing_is_retrained():
    weights, mask = normal_network()
    stepwise = mask
    for _ in range(10):
        stepwise = cut_smallest(weights, stepwise, 0.2)
    assert count_left(stepwise) < 0.11 * count_left(mask)
    at_once = keep_largest(weights, mask, count_left(stepwise))
    np.testing.assert_array_equal(flat(at_once), flat(stepwise))


def test_zeros_go_first():
    weights, mask = normal_network()
    weights["1.weight"].view(-1)[5:25] = 0
    cut = keep_largest(weights, mask, count_left(mask) - 20)
    assert torch.equal(~cut["1.weight"], weights["1.weight"] == 0)


def test_the_memory_format_does_not_matter():
    weights, mask = normal_network()
    for name in ("0.weight", "1.weight"):
        weights[name] = (weights[name] * 2).round()  # many of the same magnitude
    permuted = {
        name: layer.contiguous(memory_format=torch.channels_last) if layer.dim() == 4 else layer
        for name, layer in weights.items()
    }
    np.testing.assert_array_equal(flat(cut_smallest(permuted, mask, 0.5)), flat(cut_smallest(weights, mask, 0.5)))


def test_a_layer_with_weights_that_vanish_is_held_by_the_floor():
    weights, mask = normal_network()
    weights["0.weight"] /= 1000
    assert layer_counts(cut_smallest(weights, mask, 0.5))["0.weight"] == 0
    cut = cut_smallest(weights, mask, 0.5, 10)
    assert layer_counts(cut)["0.weight"] == 10
    assert count_left(cut) == left_after(mask, 0.5)
    assert layer_counts(cut_smallest(weights, mask, 0.5, 0.1))["0.weight"] == math.ceil(0.1 * 216)


def test_what_cannot_be_cut_is_told():
    weights, mask = normal_network()
    with pytest.raises(ValueError, match=r"^floor: 200 keeps at least 600 weights in the 3 layers together, but 402"):
        cut_smallest(weights, mask, 0.8, 200)
    with pytest.raises(ValueError, match="cannot keep"):
        keep_largest(weights, mask, count_left(mask) + 1)
    weights["3.weight"][1, 2] = float("nan")
    with pytest.raises(ValueError, match=r"3\.weight.*diverged"):
        cut_smallest(weights, mask, 0.2)


# At random


@given(layers(), st.integers(0, 5))
def test_random_masks_leave_as_many_of_every_layer(drawn, seed):
    mask = drawn[1]
    random = cut_random(mask, seed)
    assert layer_counts(random) == layer_counts(mask)
    assert all(random[name].shape == layer.shape and random[name].dtype == torch.bool for name, layer in mask.items())


def test_random_masks_depend_on_the_seed_and_differ_between_layers():
    like = {name: (torch.arange(1000) < 500)[None] for name in "ab"}
    one, same, other = (cut_random(like, seed) for seed in (0, 0, 1))
    assert torch.equal(one["a"], same["a"])
    for x, y in ((one["a"], other["a"]), (one["a"], one["b"]), (one["a"], like["a"])):
        overlap = (x & y).sum().item()
        assert abs(overlap - 250) < 4 * 500 / (2 * math.sqrt(1000))  # hypergeometric, four standard deviations


def test_random_masks_of_one_seed_are_nested():
    weights, mask = normal_network()
    first = cut_smallest(weights, mask, 0.2)
    assert is_nested(cut_random(cut_smallest(weights, first, 0.2), 3), cut_random(first, 3))


def test_random_places_are_the_first_of_an_order_of_each_layer():
    """The rule of earlier versions, whose masks stay the same."""
    mask = cut_smallest(*normal_network(), 0.6)
    for i, name in enumerate(sorted(mask)):
        order = numpy_stream(7, "random_mask", i).permutation(mask[name].numel())
        kept = np.zeros(len(order), bool)
        kept[order[: int(mask[name].sum())]] = True
        np.testing.assert_array_equal(cut_random(mask, 7)[name].numpy().ravel(), kept)


def test_a_random_cut_of_a_mask_lies_within_it():
    weights, mask = normal_network()
    parent = cut_smallest(weights, mask, 0.5)
    scores = random(SimpleNamespace(weights=weights, seed=1))
    cut = prune(scores, parent, 300)
    assert (count_left(cut), is_nested(cut, parent)) == (300, True)
    density = np.array([layer_counts(cut)[name] / layer_counts(parent)[name] for name in mask])
    assert abs(density - 300 / count_left(parent)).max() < 0.15  # no layer is preferred
