import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from tests.training.visits.walk import walk
from winnow.training.visits._clusters import clusters_of, equal_counts
from winnow.training.visits.dynamic_clusters import dynamic_clusters
from winnow.training.visits.rs2 import rs2

SIZES = [40, 20, 12, 3]
KINDS = np.repeat(np.arange(4), SIZES)
POINTS = (np.eye(4)[KINDS] * 10 + np.random.default_rng(0).normal(size=(75, 4))).astype(np.float16)


def test_one_cluster_is_rs2():
    plan = dynamic_clusters(75, 6, keep=0.3, clusters=1, interval=1, warmup=0)
    found = walk(plan, 6, features=lambda: POINTS)
    random = walk(rs2(75, 6, keep=0.3, replacement=True), 6)
    assert [each.rows.tolist() for each in found] == [each.rows.tolist() for each in random]


def test_clusters_give_equally_many():
    """Of 30: all 3 of the smallest, and 9 of each other."""
    plan = dynamic_clusters(75, 8, keep=0.4, clusters=4, interval=2, warmup=2)
    visits = walk(plan, 8, features=lambda: POINTS)
    assert [len(each.rows) for each in visits] == [75, 75] + [30] * 6
    for each in visits[2:]:
        assert np.bincount(KINDS[each.rows]).tolist() == [9, 9, 9, 3]
    rows = [each.rows.tolist() for each in visits[2:]]
    assert rows[0] == rows[1] != rows[2] == rows[3] != rows[4] == rows[5]


def test_features_are_taken_when_a_choice_is_made_and_not_otherwise():
    calls = []

    def features() -> np.ndarray:
        calls.append(0)
        return POINTS

    walk(dynamic_clusters(75, 10, keep=0.4, clusters=4, interval=3, warmup=1), 10, features=features)
    assert len(calls) == 3  # before epochs 1, 4 and 7


def test_more_clusters_than_images():
    with pytest.raises(ValueError, match=r"clusters: 40 are more than the 30 images that keep: 0\.4 chooses"):
        dynamic_clusters(75, 8, keep=0.4, clusters=40)


def test_k_means_against_scikit_learn():
    theirs = KMeans(4, n_init=10, random_state=0).fit_predict(POINTS.astype(float))
    assert adjusted_rand_score(theirs, clusters_of(POINTS, 4, np.random.default_rng(3))) == 1


def test_k_means_on_points_without_clusters_is_about_as_good_as_scikit_learn():
    points = np.random.default_rng(0).normal(size=(400, 5)).astype(np.float32)
    theirs = KMeans(8, n_init=1, random_state=0).fit(points).inertia_
    cluster = clusters_of(points, 8, np.random.default_rng(0))
    ours = sum(((points[cluster == own] - points[cluster == own].mean(axis=0)) ** 2).sum() for own in range(8))
    assert ours < 1.05 * theirs


def test_equal_points_and_one_cluster():
    assert clusters_of(np.ones((9, 2), np.float16), 1, np.random.default_rng(0)).tolist() == [0] * 9
    assert clusters_of(np.ones((9, 2), np.float16), 3, np.random.default_rng(0)).max() < 3


@given(st.lists(st.integers(0, 30), min_size=1, max_size=8), st.integers(0, 100))
def test_equal_counts_against_one_by_one(sizes, total):
    """Give one image at a time to the cluster that has given least and has some left."""
    total = min(total, sum(sizes))
    given_so_far = [0] * len(sizes)
    for _ in range(total):
        open_ = [number for number, size in enumerate(sizes) if given_so_far[number] < size]
        given_so_far[min(open_, key=lambda number: given_so_far[number])] += 1
    assert equal_counts(np.array(sizes), total).tolist() == given_so_far
