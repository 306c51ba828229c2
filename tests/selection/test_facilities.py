"""Lazy and stochastic greedy against a loop that computes every gain, and against the best of all subsets."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from winnow.selection.facilities import facility_location, gains, lazy_greedy, on_grid, stochastic_greedy


def plainly(similarity: np.ndarray, count: int, floor: float = 0) -> tuple[list[int], list[float]]:
    """The naive greedy choice and its gains."""
    order, values = [], [floor * len(similarity)]
    while len(order) < count:
        totals = {
            j: sum(max(floor, *(float(row[k]) for k in [*order, j])) for row in similarity.T)
            for j in range(len(similarity))
            if j not in order
        }
        order.append(max(totals, key=lambda j: (totals[j], -j)))
        values.append(totals[order[-1]])
    return order, np.diff(values).tolist()


def test_by_hand():
    x = np.array([0, 1, 2, 10])
    similarity = (10 - np.abs(x[:, None] - x)).astype(np.float32)
    found = lazy_greedy(similarity, 2, 0)
    assert x[found.order].tolist() == [1, 10]
    assert found.nearest.tolist() == [0, 0, 0, 1]
    assert plainly(similarity, 2) == ([1, 3], [29, 9])


whole = st.integers(1, 12).flatmap(  # whole numbers: no rounding, so ties are ties
    lambda images: arrays(np.float32, (images, images), elements=st.integers(0, 9))
)


@given(whole, st.data())
def test_lazy_is_naive(similarity, data):
    similarity = np.maximum(similarity, similarity.T)
    count = data.draw(st.integers(1, len(similarity)))
    order, values = plainly(similarity, count)
    assert lazy_greedy(similarity, count, 0).order.tolist() == order
    assert (np.diff(values) <= 0).all()


@pytest.mark.parametrize("floor", [0, -3])
def test_lazy_is_naive_for_many_images_and_rounded_numbers(floor):
    rows = np.random.default_rng(0).normal(size=(400, 3))
    similarity = on_grid(-np.linalg.norm(rows[:, None] - rows, axis=2) if floor else rows @ rows.T, 20)
    found = lazy_greedy(similarity, 120, floor)
    highest, left = np.full(400, floor, np.float32), np.ones(400, bool)
    for image in found.order:
        every = np.where(left, gains(similarity, highest), -1)
        assert image == every.argmax()
        left[image], highest = False, np.maximum(highest, similarity[image])
    served = similarity[found.order]
    np.testing.assert_array_equal(np.maximum(served.max(axis=0), floor), highest)
    best = served[found.nearest, np.arange(400)] == served.max(axis=0)
    assert (best | (served.max(axis=0) <= floor))[left].all()
    assert found.nearest[found.order].tolist() == list(range(120))


@given(st.floats(1e-3, 1e6), st.integers(0, 2**32 - 1))
def test_sums_of_rounded_numbers_are_exact_in_any_order(size, seed):
    values = np.random.default_rng(seed).uniform(-size, size, 3000)
    rounded = on_grid(values, size)
    np.testing.assert_allclose(rounded, values, rtol=0, atol=size * 2.0**-23)
    total = sum(map(Fraction, rounded.tolist()))
    assert rounded.sum(dtype=np.float64) == rounded[::-1].astype(np.float64).cumsum()[-1] == total


def test_a_sample_of_all_images_is_the_exact_choice(monkeypatch):
    rows = np.random.default_rng(1).random(size=(60, 4))
    similarity = on_grid(rows @ rows.T, 4)
    given = {"images": 60, "count": 9, "floor": 0, "epsilon": 1e-9, "rng": np.random.default_rng(0)}
    of_all = {**given, "size": 4}
    exact = lazy_greedy(similarity, 9, 0)
    by_sample = stochastic_greedy(similarity.__getitem__, **given)
    assert by_sample.order.tolist() == exact.order.tolist()
    assert by_sample.nearest.tolist() == exact.nearest.tolist()
    assert facility_location(similarity.__getitem__, **of_all).order.tolist() == exact.order.tolist()
    monkeypatch.setattr("winnow.selection.facilities.LARGEST", 59)
    few = facility_location(similarity.__getitem__, **{**of_all, "epsilon": 0.9, "count": 3})
    assert few.order.tolist() != exact.order[:3].tolist()  # the best of a few
    assert len(set(few.order.tolist())) == 3


def test_a_sample_keeps_its_guarantee():
    rows = np.random.default_rng(2).random(size=(12, 2))
    similarity = np.exp(-10 * np.linalg.norm(rows[:, None] - rows, axis=2)).astype(np.float32)
    best = max(similarity[list(kept)].max(axis=0).sum() for kept in combinations(range(12), 3))
    found = [
        stochastic_greedy(similarity.__getitem__, 12, 3, 0, 0.3, np.random.default_rng(seed)).order
        for seed in range(200)
    ]
    values = [similarity[order].max(axis=0).sum() for order in found]
    assert np.mean(values) >= (1 - 1 / np.e - 0.3) * best
    assert len({tuple(order) for order in found}) > 1
    assert similarity[lazy_greedy(similarity, 3, 0).order].max(axis=0).sum() >= (1 - 1 / np.e) * best
