"""Coverage, worked out by hand, against plain loops and scikit-learn, and what must hold of any subset."""

from dataclasses import replace
from math import log, sqrt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import NearestNeighbors

from winnow.analysis import coverage as module
from winnow.analysis.coverage import (
    Space,
    beside_random,
    coverage,
    coverage_table,
    distances,
    neighbourhoods,
    placed,
    space,
    strata,
)
from winnow.clusters import unit


def by_hand() -> Space:
    """Four images at the corners of a square of side 1, each twice; classes of 6 and 2; neighbourhoods are sides."""
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32)
    return Space(
        labels=np.array([0, 0, 0, 0, 0, 0, 1, 1]),
        strata=np.array([0, 1, 2, 3, 4, 5, 8, 9]),
        placed=np.arange(8),
        neighbourhoods=np.array([0, 1, 0, 1, 0, 1, 0, 1]),
        points=np.concatenate([corners, corners]),
        measured=np.arange(8),
    )


def test_a_subset_of_one_class_by_hand():
    """Kept: corners (0, 0) and (0, 1), of class 0. The right side is empty, and its four images are 1 away."""
    found = coverage(by_hand(), np.array([0, 2]))
    assert found["neighbourhoods"] == 0.5
    assert found["distance"] == pytest.approx(4 * 1 / 8)
    assert found["smallest_class"] == 0
    assert found["class_entropy"] == 0
    assert [found[f"stratum_{number}"] for number in (1, 2, 3)] == [1, 0, 1]
    assert np.isnan(found["stratum_7"])  # has no image


def test_a_subset_of_both_classes_by_hand():
    """Kept: the corner (0, 0) of class 0 and (1, 1) of class 1: half of the images are 1 away from both. Of class 0 a
    sixth is kept and of all a quarter."""
    found = coverage(by_hand(), np.array([7, 0]))
    assert found["neighbourhoods"] == 1
    assert found["distance"] == pytest.approx(0.5)
    assert found["smallest_class"] == pytest.approx((1 / 6) / (1 / 4))
    assert found["class_entropy"] == pytest.approx(log(2) / -(0.75 * log(0.75) + 0.25 * log(0.25)))
    assert coverage(by_hand(), np.array([0]))["distance"] == pytest.approx((2 * 0 + 4 * 1 + 2 * sqrt(2)) / 8)


def test_a_neighbourhood_counts_for_its_images():
    over = replace(by_hand(), neighbourhoods=np.array([0, 0, 0, 0, 0, 1, 2, 2]))
    found = coverage(over, np.array([1, 5]))
    assert (found["neighbourhoods"], found["covered"]) == (pytest.approx(2 / 3), 6 / 8)


def test_strata_are_tenths_of_the_ranking():
    score = np.array([0.3, np.nan, 0.1, np.inf, 0.2, 0.2, -1.0, 5.0, 0.0, 0.25])
    assert strata(score).tolist() == [6, 9, 2, 8, 3, 4, 0, 7, 1, 5]
    assert np.bincount(strata(np.random.default_rng(0).random(104))).tolist() == [
        11,
        10,
        11,
        10,
        10,
        11,
        10,
        11,
        10,
        10,
    ]


def test_distances_are_those_of_the_nearest_neighbour(monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 500)  # several blocks
    rng = np.random.default_rng(0)
    points, measured = unit(rng.normal(size=(300, 5))), np.arange(0, 300, 3)
    kept = rng.random(300) < 0.1
    search = NearestNeighbors(n_neighbors=1).fit(points[kept].astype(np.float64))
    expected = search.kneighbors(points[measured].astype(np.float64))[0][:, 0]
    np.testing.assert_allclose(distances(points, measured, kept), expected, atol=1e-6)


def test_small_distances_are_not_rounded_away():
    """As products of float32 they would be: the squares differ by 1e-10."""
    points = np.array([[1, 0], [1, 1e-5], [-1, 0]], np.float32)
    found = distances(points, np.arange(3), np.array([True, False, False]))
    assert found.tolist() == pytest.approx([0, 1e-5, 2], rel=1e-4)


def blobs(of_each: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Ten tight clusters in ten directions; which cluster each point is in."""
    true = np.repeat(np.arange(10), of_each)
    return (np.eye(10)[true] + np.random.default_rng(seed).normal(0, 0.02, (len(true), 10))), true


def test_every_neighbourhood_lies_within_a_cluster():
    features, true = blobs()
    found = neighbourhoods(unit(features), np.random.default_rng(1))
    assert len(set(found)) == 400 // 20
    assert all(len(set(true[found == number])) <= 2 for number in set(found))
    assert adjusted_rand_score(true, found) > 0.5


def test_of_many_images_a_sample_says_where_neighbourhoods_are(monkeypatch):
    features, true = blobs()
    everyone = neighbourhoods(unit(features), np.random.default_rng(1))
    monkeypatch.setattr(module, "ENOUGH", len(true))
    np.testing.assert_array_equal(neighbourhoods(unit(features), np.random.default_rng(1)), everyone)
    monkeypatch.setattr(module, "ENOUGH", 200)
    found = neighbourhoods(unit(features), np.random.default_rng(1))
    assert found.shape == true.shape
    assert all(len(set(true[found == number])) <= 2 for number in set(found))
    assert adjusted_rand_score(true, found) > 0.5


def test_neighbourhoods_are_the_same_every_time_and_number_at_most_500(monkeypatch):
    features, _ = blobs()
    points = unit(features)
    one, other = (neighbourhoods(points, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    monkeypatch.setattr(module, "MOST", 3)
    assert set(neighbourhoods(points, np.random.default_rng(1))) == {0, 1, 2}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("distinct", [1, 3])
def test_images_that_look_the_same_are_one_neighbourhood(distinct):
    features = np.eye(distinct)[np.arange(200) % distinct]
    found = neighbourhoods(unit(features), np.random.default_rng(0))
    assert adjusted_rand_score(np.arange(200) % distinct, found) == 1


def test_a_row_of_zeros_has_no_direction():
    rows = np.array([[0, 0], [3, 4], [np.nan, np.nan], [np.inf, 0]], np.float16)
    np.testing.assert_allclose(unit(rows), [[0, 0], [0.6, 0.8], [0, 0], [1, 0]], rtol=1e-6)


def spaces(n: int, seed: int) -> Space:
    rng = np.random.default_rng(seed)
    return space(rng.integers(0, 3, n), rng.random(n), np.arange(n), rng.normal(size=(n, 4)), rng)


subsets = arrays(bool, 60).filter(np.any)


@given(subsets, subsets, st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_a_superset_covers_at_least_as_much(one, other, seed):
    over = spaces(60, seed)
    small, large = (coverage(over, np.flatnonzero(kept)) for kept in (one, one | other))
    assert small["neighbourhoods"] <= large["neighbourhoods"]
    assert small["covered"] <= large["covered"]
    assert small["distance"] >= large["distance"] - 1e-6
    assert all(small[name] <= large[name] for name in small if name.startswith("stratum"))


@given(st.integers(0, 30))
@settings(max_examples=10, deadline=None)
def test_all_images_cover_everything(seed):
    found = coverage(spaces(60, seed), np.arange(60))
    assert found.pop("distance") == 0
    assert set(found.values()) == {1.0}


@given(subsets, st.integers(0, 3), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_images_changes_nothing(kept, seed, random):
    over = spaces(60, seed)
    order = np.array(random.sample(range(60), 60))
    labels, strata_, of_points, points = (
        part[order] for part in (over.labels, over.strata, over.neighbourhoods, over.points)
    )
    mixed = Space(labels, strata_, over.placed, of_points, points, over.measured)
    one, other = coverage(over, np.flatnonzero(kept)), coverage(mixed, np.flatnonzero(kept[order]))
    assert one == pytest.approx(other, rel=1e-6, abs=1e-9)


def test_of_many_images_some_are_looked_for_in_feature_space(monkeypatch):
    """Those that are not placed count for classes and strata only: of the placed ones it is as if they were all."""
    monkeypatch.setattr(module, "NUMBERS", 20 * 4)
    rng = np.random.default_rng(0)
    labels, score, features = rng.integers(0, 3, 60), rng.random(60), rng.normal(size=(60, 4))
    rows = placed(features, rng)
    assert len(np.unique(rows)) == 20 and (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(placed(features[:20], rng), np.arange(20))
    over = space(labels, score, rows, features[rows], np.random.default_rng(1))
    alone = space(labels[rows], score[rows], np.arange(20), features[rows], np.random.default_rng(1))
    found = coverage(over, np.concatenate([rows[:5], np.setdiff1d(np.arange(60), rows)]))
    for name in ("neighbourhoods", "covered", "distance"):
        assert found[name] == coverage(alone, np.arange(5))[name]
    assert found["stratum_1"] == np.isin(np.argsort(score)[:6], np.setdiff1d(np.arange(60), rows[5:])).mean()
    nowhere = coverage(over, np.setdiff1d(np.arange(60), rows))
    assert nowhere["covered"] == 0
    assert np.isnan(nowhere["distance"])


def test_distances_are_compared_with_random_subsets_of_the_same_size():
    over = by_hand()
    subsets = {
        ("top", "0.25"): np.array([0]), ("random", "0.25"): np.array([0, 2]), ("random", "0.5"): np.array([0, 1, 2, 3]),
        ("top", "0.5"): np.array([0, 1]), ("top", "3"): np.array([0, 1, 2]),
    }  # fmt: skip
    table = beside_random(coverage_table(subsets, over))
    assert table["fraction"].tolist() == [1 / 8, 2 / 8, 4 / 8, 2 / 8, 3 / 8]
    assert table["distance_to_random"].iloc[:2].tolist() == pytest.approx([(4 + 2 * sqrt(2)) / 4, 1])
    assert table["distance_to_random"].iloc[2:].isna().all()  # random is nowhere away, or there is none
    pd.testing.assert_frame_equal(table.drop(columns="distance_to_random"), coverage_table(subsets, over))
