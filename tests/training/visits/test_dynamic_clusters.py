import numpy as np
import pytest

from tests.training.visits.walk import walk
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
