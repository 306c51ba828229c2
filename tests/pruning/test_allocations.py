"""How a cut is shared between layers: against cases by hand, and what holds of every allocation."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.pruning.masked import layers
from winnow import methods
from winnow.pruning.allocations.erk import erk
from winnow.pruning.allocations.lamp import lamp, rescaled
from winnow.pruning.allocations.uniform import uniform
from winnow.pruning.families import ALLOCATIONS
from winnow.pruning.layers import Layer
from winnow.pruning.masks import count_left, is_nested, layer_counts
from winnow.pruning.prune import floors, prune

CUTTING = [
    name for name in methods.names(ALLOCATIONS) if not methods.has_mark(methods.find(ALLOCATIONS, name), "ANYWHERE")
]
SHAPES = {"a": (16, 3, 3, 3), "b": (16, 16, 3, 3), "c": (10, 16)}


def full(shapes: dict[str, tuple[int, ...]]) -> dict[str, Layer]:
    return {name: Layer(shape, np.zeros(math.prod(shape))) for name, shape in shapes.items()}


@pytest.mark.parametrize("name", CUTTING)
@given(drawn=layers(), part=st.floats(0, 1), floor=st.integers(0, 4) | st.floats(0, 0.5))
def test_every_allocation_is_exact_nested_and_keeps_the_floor(name, drawn, part, floor):
    weights, mask = drawn
    scores = {layer: weight.abs() for layer, weight in weights.items()}
    least = floors(mask, floor)
    left = max(round(part * count_left(mask)), sum(least.values()))
    cut = prune(scores, mask, left, methods.find(ALLOCATIONS, name), floor)
    assert count_left(cut) == left
    assert is_nested(cut, mask)
    assert all(layer_counts(cut)[layer] >= least[layer] for layer in mask)
    for layer, kept in cut.items():  # of every layer the highest
        gone = mask[layer] & ~kept
        if gone.any() and kept.any():
            assert scores[layer][gone].max() <= scores[layer][kept].min()


@pytest.mark.parametrize("name", CUTTING)
@given(drawn=layers(), part=st.floats(0, 1))
def test_the_order_of_layers_does_not_matter(name, drawn, part):
    weights, mask = drawn
    scores = {layer: weight.abs() for layer, weight in weights.items()}
    left, allocation = round(part * count_left(mask)), methods.find(ALLOCATIONS, name)
    one, other = prune(scores, mask, left, allocation), prune(scores, dict(reversed(mask.items())), left, allocation)
    assert all(torch.equal(one[layer], other[layer]) for layer in mask)


def test_uniform_rounds_to_the_largest_remainders_by_name():
    sizes = {"c": (7,), "a": (7,), "b": (6,)}  # of 20, a half: 3.5, 3.5 and 3
    assert uniform(full(sizes), 10) == {"a": 4, "b": 3, "c": 3}
    assert uniform(full(sizes), 9) == {"a": 3, "b": 3, "c": 3}  # 3.15, 3.15, 2.7


def test_uniform_gives_what_a_layer_lacks_to_the_others():
    thin = {"a": Layer((10,), np.zeros(2)), "b": Layer((10,), np.zeros(10)), "c": Layer((10,), np.zeros(10))}
    assert uniform(thin, 12) == {"a": 2, "b": 5, "c": 5}
    least = {"a": Layer((10,), np.zeros(10), 8), "b": Layer((10,), np.zeros(10)), "c": Layer((10,), np.zeros(10))}
    assert uniform(least, 12) == {"a": 8, "b": 2, "c": 2}


def test_erk_by_hand():
    """eps (290 - 0) / 89 with sums of dimensions 25, 38, 26; at 0.3 the third is dense."""
    assert erk(full(SHAPES), 290) == {"a": 81, "b": 124, "c": 85}  # 81.46, 123.8, 84.7
    assert erk(full(SHAPES), 869) == {"a": 281, "b": 428, "c": 160}  # 281.3, 427.6, dense


def erk_as_published(shapes: dict[str, tuple[int, ...]], total: int) -> dict[str, float]:
    """Layers of a density above 1 become dense, one round after another."""
    dense: set[str] = set()
    while True:
        rest = [name for name in shapes if name not in dense]
        room = total - sum(math.prod(shapes[name]) for name in dense)
        eps = room / sum(sum(shapes[name]) for name in rest)
        over = {name for name in rest if eps * sum(shapes[name]) > math.prod(shapes[name])}
        if not over:
            return {name: float(math.prod(s)) if name in dense else eps * sum(s) for name, s in shapes.items()}
        dense |= over


@given(st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=3), min_size=1, max_size=5), st.floats(0.01, 1))
def test_erk_is_the_iteration_of_the_paper(dims, density):
    shapes = {f"{place}": tuple(dims) for place, dims in enumerate(dims)}
    total = max(1, int(density * sum(math.prod(shape) for shape in shapes.values())))
    found, exact = erk(full(shapes), total), erk_as_published(shapes, total)
    assert sum(found.values()) == total
    assert all(abs(found[name] - exact[name]) < 1 + 1e-6 for name in shapes)


def test_lamp_by_hand():
    np.testing.assert_allclose(rescaled(np.array([1.0, 2.0, 3.0])), [1 / 14, 4 / 13, 1])
    np.testing.assert_allclose(rescaled(np.array([2.0, 2.0])), [1 / 2, 1])
    both = {"a": Layer((3,), np.array([1.0, 2.0, 3.0])), "b": Layer((2,), np.array([2.0, 2.0]))}
    assert lamp(both, 3) == {"a": 1, "b": 2}


@given(hnp.arrays(np.float32, st.integers(1, 30), elements=st.floats(0, 8, width=32)))
def test_lamp_is_the_sum_over_what_is_not_lower_and_keeps_the_order(scores):
    found = rescaled(scores)
    # of equal scores the later are above the earlier
    above = [[(v, j) >= (u, i) for j, v in enumerate(scores)] for i, u in enumerate(scores)]
    squares = scores.astype(np.float64) ** 2
    expected = [square / sum_ if (sum_ := squares[above[i]].sum()) else 0.0 for i, square in enumerate(squares)]
    np.testing.assert_allclose(found, expected)
    np.testing.assert_array_equal(np.argsort(found, kind="stable"), np.argsort(scores, kind="stable"))


def test_lamp_empties_no_layer_before_all_have_one_weight_left():
    rng = np.random.default_rng(0)
    scales = {"a": 1e-6, "b": 1.0, "c": 1e3}
    both = {name: Layer((50,), scale * rng.random(50)) for name, scale in scales.items()}
    assert lamp(both, 3) == {"a": 1, "b": 1, "c": 1}


def test_lamp_refuses_scores_of_two_signs():
    with pytest.raises(ValueError, match=r"^allocation: lamp"):
        lamp({"a": Layer((2,), np.array([-1.0, 1.0]))}, 1)
