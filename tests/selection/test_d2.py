import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from winnow.selection.evidence import Given
from winnow.selection.methods.d2 import d2, neighbours
from winnow.selection.methods.ranked import top


def in_order(values, features, size: int, labels=None, classes: int = 1, **options) -> list[int]:
    labels = np.zeros(len(values), np.int64) if labels is None else labels
    rows = np.asarray(features, np.float32).reshape(len(values), -1)
    evidence = Given(labels, classes, {"el2n": np.asarray(values, np.float64)}, rows)
    return d2(evidence, size, np.random.default_rng(0), score="el2n", epoch=0, **options).rows.tolist()


def plainly(values, features, size: int, k: int, gamma: float, scale: str) -> list[int]:
    """All pairs in a matrix, and a search for the largest sum at every step."""
    features = np.asarray(features, np.float64).reshape(len(values), -1)
    if scale == "unit":
        features = features / np.linalg.norm(features, axis=1, keepdims=True)
    distances = np.linalg.norm(features[:, None] - features[None], axis=2)
    joined = np.zeros(distances.shape, bool)
    for i, row in enumerate(distances):
        joined[i, [j for j in np.argsort(row) if j != i][:k]] = True
    joined |= joined.T
    if scale == "median":
        distances = distances / np.median(distances[joined])
    sums = [
        value + sum(np.exp(-distances[i, j]) * values[j] for j in np.flatnonzero(joined[i]))
        for i, value in enumerate(values)
    ]
    rows: list[int] = []
    while len(rows) < size:
        best = max((i for i in range(len(values)) if i not in rows), key=lambda i: sums[i])
        rows.append(best)
        for j in np.flatnonzero(joined[best]):
            sums[j] -= np.exp(-gamma * distances[best, j]) * sums[best]
    return rows


@settings(deadline=None)
@given(st.integers(2, 25), st.integers(1, 6), st.floats(0, 2), st.sampled_from(["median", "unit"]), st.integers(0, 999))
def test_it_is_the_plain_algorithm(images, k, gamma, scale, seed):
    rng = np.random.default_rng(seed)
    values, features = rng.random(images), rng.normal(size=(images, 3)).astype(np.float32)
    for size in {1, images // 2 or 1, images}:
        assert in_order(values, features, size, k=k, gamma=gamma, scale=scale) == plainly(
            values, features, size, k, gamma, scale
        )


def test_by_hand():
    # 0 and 1 are 1 apart, the median of 1, 1 and 8; 2 joins 1; 3 is 8 away and joins 2
    features, values = [0, 1, 2, 10], [1.0, 2.0, 1.0, 2.5]
    decay = np.exp(-1)
    sums = [1 + 2 * decay, 2 + 2 * decay, 1 + 2 * decay + 2.5 * np.exp(-8), 2.5 + np.exp(-8)]  # 1.74, 2.74, 1.74, 2.50
    assert np.argsort(sums)[::-1].tolist() == [1, 3, 2, 0]
    # after 1, with gamma 0, its neighbours lose 2.74 and fall below 0; after 3, image 2 loses 2.5 too
    assert in_order(values, features, 4, k=1, gamma=0.0) == [1, 3, 0, 2]


def test_without_neighbours_it_keeps_the_highest_scores():
    values = np.random.default_rng(0).random(30)
    features = np.random.default_rng(1).normal(size=(30, 2))
    assert in_order(values, features, 10, k=0) == top(values, 10).tolist()


def test_of_two_identical_images_the_second_falls_to_nothing():
    values, features = [5.0, 5.0, 1.0, 1.0], [0.0, 0.0, 100.0, 101.0]
    assert in_order(values, features, 4, k=1, gamma=0.0) == [0, 2, 1, 3]  # then 1 and 3 are at 0
    assert in_order(values, features, 2, k=0) == [0, 1]


def test_neighbours_of_raw_features_do_not_vanish():
    features = 1000 * np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
    assert np.exp(-neighbours(features, 3, "median").distances).min() > 0.01
    np.testing.assert_allclose(
        neighbours(features, 3, "unit").distances, neighbours(features / 7, 3, "unit").distances, rtol=1e-5
    )


def test_all_images_the_same_and_a_single_one():
    assert in_order([1.0, 3.0, 2.0], np.ones((3, 2)), 3, k=2)[0] in (0, 1, 2)
    assert in_order([1.0], [[2.0]], 1) == [0]


@settings(deadline=None)
@given(st.permutations(range(12)))
def test_the_order_of_the_images_does_not_matter(order):
    rng = np.random.default_rng(3)
    values, features = rng.random(12), rng.normal(size=(12, 2))
    order = np.array(order)
    assert order[in_order(values[order], features[order], 5, k=3)].tolist() == in_order(values, features, 5, k=3)


def test_the_hardest_are_left_out_first_and_scores_may_be_negative_or_endless():
    values, features = np.arange(20.0), np.arange(20.0)
    assert max(in_order(values, features, 12, cutoff=0.4)) == 11
    with pytest.raises(ValueError, match=r"^a cutoff of 0\.4 has no room for 13 of 20 images; it can be 0\.35$"):
        in_order(values, features, 13, cutoff=0.4)
    assert in_order(values - 30, features, 9) == in_order(values, features, 9)
    assert in_order([0.0, np.inf, 1.0], [0, 50, 100], 1) == [1]


def test_equal_numbers_of_every_class():
    labels = np.repeat([0, 2], [15, 5])
    values = np.linspace(2, 1, 20)
    rows = in_order(values, np.arange(20.0), 6, labels, 3, equal=True)
    assert np.bincount(labels[rows]).tolist() == [3, 0, 3]
    assert len(set(in_order(values, np.arange(20.0), 13, labels, 3, equal=True))) == 13
