"""k-means, against scikit-learn's and on groups that are plain to see."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from winnow.selection.k_means import k_means, means, nearest

RNG = np.random.default_rng


def test_groups_that_lie_apart_are_found():
    middles = np.array([[0.0, 0.0], [50.0, 0.0], [0.0, 50.0], [50.0, 50.0]])
    truth = RNG(0).integers(4, size=200)
    rows = middles[truth] + RNG(1).normal(size=(200, 2))
    for seed in range(20):  # k-means++ begins in the same group twice with a chance of about 1 in 1,000
        groups = k_means(rows, 4, RNG(seed))
        assert len(set(zip(truth, groups, strict=True))) == 4


def test_it_ends_where_scikit_learn_ends_from_the_same_centres():
    from sklearn.cluster import KMeans

    from winnow.selection.k_means import first_centres

    rows = RNG(2).normal(size=(300, 5))
    begin = first_centres(rows, 6, RNG(3))
    theirs = KMeans(6, init=begin, n_init=1, max_iter=100, tol=0, algorithm="lloyd").fit(rows)
    assert (k_means(rows, 6, RNG(3)) == theirs.labels_).all()


rows_of = arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(1, 3)), elements=st.integers(-9, 9))


@given(rows_of, st.data())
def test_every_row_ends_at_its_nearest_mean(rows, data):
    count = data.draw(st.integers(1, len(rows)))
    groups = k_means(rows, count, RNG(0))
    assert groups.min() >= 0
    assert groups.max() < count
    centres = means(rows, groups, np.full((count, rows.shape[1]), 1e6))
    for row, group in zip(rows, groups, strict=True):
        squares = ((row - centres) ** 2).sum(axis=1)
        assert squares[group] <= squares.min() + 1e-9


def test_the_nearest_by_hand_and_the_first_of_equals():
    centres = np.array([[0.0], [4.0], [4.0]])
    assert nearest(np.array([[-3.0], [1.9], [2.1], [9.0]]), centres).tolist() == [0, 0, 1, 1]


def test_an_empty_group_keeps_its_centre():
    found = means(np.array([[1.0], [3.0]]), np.array([0, 0]), np.array([[7.0], [8.0]]))
    assert found.tolist() == [[2.0], [8.0]]


def test_more_groups_than_images_is_told():
    with pytest.raises(ValueError, match="4 groups are more than the 3 images"):
        k_means(np.zeros((3, 2)), 4, RNG(0))
