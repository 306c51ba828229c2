"""The adaptive cut: bisection against every cut of the grid."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pruning.masked import cut_smallest
from tests.pruning.test_prune import flat, normal_network
from winnow.pruning.adaptive import GRID, AdaptiveCut
from winnow.pruning.adaptive import cut_most as largest_cut
from winnow.pruning.masks import apply, count_left, is_nested, layer_counts


def cut_most(weights, mask, error_of, budget, floor, most) -> AdaptiveCut:
    return largest_cut(mask, lambda part: cut_smallest(weights, mask, part, floor), error_of, budget, floor, most)


def removed(weights, mask) -> float:
    """The squared length of what a mask takes away: an error that rises with the fraction."""
    kept = apply(weights, mask)
    return float(sum((weights[name] - kept[name]).square().sum() for name in mask))


@pytest.mark.parametrize("budget", [0.0, 1.0, 30.0, 300.0, 1e9])
def test_the_largest_cut_within_the_budget(budget):
    weights, mask = normal_network()
    found = cut_most(weights, mask, lambda cut: removed(weights, cut), budget, 0, 0.75)
    errors = {k / GRID: removed(weights, cut_smallest(weights, mask, k / GRID)) for k in range(48 + 1)}
    assert found.fraction == max(fraction for fraction, error in errors.items() if error <= budget)
    assert found.error == errors[found.fraction] == dict(found.tried)[found.fraction]
    np.testing.assert_array_equal(flat(found.mask), flat(cut_smallest(weights, mask, found.fraction)))
    assert all(errors[fraction] == error for fraction, error in found.tried)
    assert [fraction for fraction, _ in found.tried] == sorted(
        {0.0, found.fraction} | {fraction for fraction, _ in found.tried}
    )
    assert len(found.tried) <= 7


@given(st.integers(0, 10**6), st.floats(0, 1), st.floats(0, 1))
def test_whatever_the_error_does_the_cut_is_within_the_budget_and_the_next_is_not(seed, budget, most):
    weights, mask = normal_network()
    total = count_left(mask)

    def error_of(cut) -> float:
        return float(np.random.default_rng([seed, count_left(cut)]).uniform())

    found = cut_most(weights, mask, error_of, budget, 5, most)
    tried = dict(found.tried)
    assert found.fraction <= most
    assert min(layer_counts(found.mask).values()) >= 5
    assert count_left(found.mask) == round(total * (1 - found.fraction))
    if found.error > budget:
        assert list(tried) == [0.0]
    else:
        following = found.fraction + 1 / GRID
        assert following in tried or following > most or round(total * (1 - following)) < 15
        assert tried.get(following, 2.0) > budget


def test_no_cut_where_none_is_within_the_budget():
    weights, mask = normal_network()
    found = cut_most(
        weights, mask, lambda cut: float("nan") if count_left(cut) < count_left(mask) else 0.5, 0.6, 0, 0.9
    )
    assert (found.fraction, found.error, is_nested(mask, found.mask)) == (0, 0.5, True)
    assert cut_most(weights, mask, lambda prune: 0.5, 0.4, 0, 0.9).tried == [(0.0, 0.5)]


def test_the_floor_bounds_the_largest_cut():
    weights, mask = normal_network()
    found = cut_most(weights, mask, lambda prune: 0.0, 0.1, 500, 1.0)  # 216 and 640 weights beside 1152
    assert found.fraction == max(k for k in range(GRID) if round(2008 * (1 - k / GRID)) >= 216 + 500 + 500) / GRID
