from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from tests.training.visits.walk import walk
from winnow.training.visits.seta import groups_of, seta

FIVE = np.repeat([0.1, 0.5, 1.0, 2.0, 4.0], 6).astype(np.float32)  # five clear groups of 6


def windows(epochs: int, **options) -> list[list[int]]:
    """Which of the five groups each epoch visits."""
    plan = seta(30, epochs, ratio=0.0, **options)
    return [sorted({int(row) // 6 for row in each.rows}) for each in walk(plan, epochs, lambda _, rows: FIVE[rows])]


def test_the_window_moves_from_easy_to_hard_and_again():
    """k = 5, w = 3: it begins at 1, 2, 0, 1, … from epoch 1 on; epoch 0 and the last eighth of 16 take all."""
    found = windows(16, window=0.6)
    assert found[0] == found[14] == found[15] == [0, 1, 2, 3, 4]
    assert [each[0] for each in found[1:14]] == [1, 2, 0] * 4 + [1]
    assert all(each == list(range(each[0], each[0] + 3)) for each in found[1:14])


def test_the_default_window_leaves_out_one_group_as_half_rounds_to_even():
    assert windows(9)[1:4] == [[1, 2, 3, 4], [0, 1, 2, 3], [1, 2, 3, 4]]  # 0.9 * 5 = 4.5, and 4 stay


def test_a_window_of_all_groups_is_a_random_draw():
    for each in walk(seta(30, 9, window=1.0), 9, lambda _, rows: FIVE[rows]):
        assert len(each.rows) == 27
        assert each.weights is None


def test_equal_losses_go_into_chunks():
    assert np.bincount(groups_of(np.ones(10), 5)).tolist() == [2] * 5
    assert groups_of(np.array([1.0, 2.0, 2.0, 2.0, 1.0, 2.0]), 3).tolist() == [0, 1, 1, 2, 0, 2]


@given(st.lists(st.floats(0, 8, width=32), min_size=1, max_size=50), st.integers(1, 6))
def test_groups_are_ranges_in_order(losses, count):
    values = np.array(losses)
    group = groups_of(values, count)
    assert (np.diff(group[np.argsort(values, kind="stable")]) >= 0).all()
    assert 0 <= group.min() <= group.max() < count
    if len(np.unique(values)) >= count:  # else equal losses are divided
        for own in np.unique(values):
            assert len(np.unique(group[values == own])) == 1


@pytest.mark.parametrize("count", [2, 3, 5])
def test_against_scikit_learn(count):
    """Where groups lie apart, both find them; the labels of scikit-learn are put in order of the means."""
    rng = np.random.default_rng(count)
    losses = np.concatenate([rng.normal(3 * number, 0.2, size=20 + 5 * number) for number in range(count)])
    theirs = KMeans(count, n_init=10, random_state=0).fit(losses[:, None])
    order = np.argsort(theirs.cluster_centers_[:, 0])
    np.testing.assert_array_equal(groups_of(losses, count), np.argsort(order)[theirs.labels_])


@given(st.lists(st.integers(0, 20), min_size=4, max_size=9), st.integers(2, 3))
def test_no_other_division_is_better(losses, count):
    """Few losses: every way to cut them in order is tried."""
    values = np.sort(np.array(losses, float))
    if len(np.unique(values)) < count:
        return

    def distance(parts: list[np.ndarray]) -> float:
        return sum(float(((part - part.mean()) ** 2).sum()) for part in parts)

    cuts = combinations(range(1, len(values)), count - 1)
    best = min(distance(np.split(values, cut)) for cut in cuts)
    group = groups_of(values, count)
    assert distance([values[group == number] for number in range(count)]) == pytest.approx(best, abs=1e-9)


def test_each_loss_is_nearest_to_the_mean_of_its_own_group():
    """What a fixed point of k-means is, on losses of a training: many small, few large."""
    losses = np.random.default_rng(0).exponential(size=2000) ** 2
    group = groups_of(losses, 5)
    means = np.array([losses[group == number].mean() for number in range(5)])
    np.testing.assert_array_equal(np.abs(losses[:, None] - means).argmin(axis=1), group)
