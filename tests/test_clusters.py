"""k-means, on groups that are plain to see and against its definition."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import adjusted_rand_score

from winnow import clusters as module
from winnow.clusters import k_means, unit

RNG = np.random.default_rng


def test_groups_that_lie_apart_are_found():
    middles = np.array([[0.0, 0.0], [50.0, 0.0], [0.0, 50.0]])
    truth = RNG(0).integers(3, size=200)
    rows = middles[truth] + RNG(1).normal(size=(200, 2))
    found = [len(set(zip(truth, k_means(rows, 3, RNG(seed)), strict=True))) for seed in range(20)]
    assert found == [3] * 20


def test_the_same_draw_gives_the_same_clusters():
    rows = RNG(2).normal(size=(300, 5))
    assert (k_means(rows, 6, RNG(3)) == k_means(rows, 6, RNG(3))).all()


def test_centres_of_a_part_of_the_points():
    middles = np.array([[0.0, 0.0], [50.0, 0.0], [0.0, 50.0]])
    truth = RNG(0).integers(3, size=2000)
    rows = middles[truth] + RNG(1).normal(size=(2000, 2))
    assert adjusted_rand_score(truth, k_means(rows, 3, RNG(2), fitted_on=100)) == 1


def test_many_points_are_taken_in_parts(monkeypatch):
    rows = RNG(6).normal(size=(500, 7)).astype(np.float32)
    rows[3], rows[5, 2] = 0, np.nan
    whole = unit(rows), k_means(unit(rows), 6, RNG(3))
    monkeypatch.setattr(module, "CHUNK", 70)
    parts = unit(rows), k_means(unit(rows), 6, RNG(3))
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one, other)
    expected = np.nan_to_num(rows) / np.maximum(np.linalg.norm(np.nan_to_num(rows), axis=1, keepdims=True), 1e-30)
    np.testing.assert_allclose(parts[0], expected, rtol=1e-6)


def test_the_points_stay_as_they_are():
    rows = RNG(7).normal(5, size=(200, 3))
    before = rows.copy()
    k_means(rows, 4, RNG(3))
    k_means(rows, 4, RNG(3), fitted_on=50)
    np.testing.assert_array_equal(rows, before)


def test_the_order_of_the_points_changes_nothing():
    rows, order = RNG(4).normal(size=(300, 5)).round(1), RNG(5).permutation(300)
    for fitted_on in (None, 100):
        assert (
            adjusted_rand_score(k_means(rows, 6, RNG(3), fitted_on)[order], k_means(rows[order], 6, RNG(3), fitted_on))
            == 1
        )


rows_of = arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(1, 3)), elements=st.integers(-9, 9))


@given(rows_of, st.integers(1, 12))
def test_no_cluster_is_empty_and_every_row_ends_at_its_nearest_mean(rows, count):
    groups = k_means(rows, count, RNG(0))
    assert sorted(set(groups)) == list(range(groups.max() + 1))
    assert groups.max() < min(count, len(np.unique(rows, axis=0)))
    centres = np.stack([rows[groups == group].mean(axis=0) for group in range(groups.max() + 1)])
    for row, group in zip(rows, groups, strict=True):
        squares = ((row - centres) ** 2).sum(axis=1)
        assert squares[group] <= squares.min() + 1e-9
