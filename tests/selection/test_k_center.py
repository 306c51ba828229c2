from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from winnow.selection.choose import choose
from winnow.selection.evidence import Given

FOUR = np.array([[0.0], [1.0], [2.0], [10.0]])  # their mean, 3.25, is nearest to the third


def in_order(features: np.ndarray, size: int) -> list[int]:
    from winnow.selection.methods.k_center import k_center

    evidence = Given(np.zeros(len(features), np.int64), 1, feature_rows=features)
    return k_center(evidence, size, np.random.default_rng(0), epoch=0).rows.tolist()


def plainly(features: np.ndarray, size: int) -> list[int]:
    """All distances, image by image."""
    rows = [int(np.argmin([np.sum((x - features.mean(axis=0)) ** 2) for x in features]))]
    while len(rows) < size:
        radii = [min(np.sum((x - features[row]) ** 2) for row in rows) for x in features]
        rows.append(max((i for i in range(len(features)) if i not in rows), key=lambda i: (radii[i], -i)))
    return rows


def test_by_hand():
    assert in_order(FOUR, 1) == [2]
    assert in_order(FOUR, 2) == [2, 3]
    assert in_order(FOUR, 4) == [2, 3, 0, 1]


def test_from_0_by_hand():
    """It begins at the image nearest to the mean: with 30 copies of 0 that is the first of them."""
    rows = np.array([[0.0]] * 30 + [[1.0], [2.0], [10.0]])
    assert in_order(rows, 4) == [0, 32, 31, 30]


features = st.tuples(st.integers(1, 12), st.integers(1, 3)).flatmap(
    lambda shape: arrays(np.float32, shape, elements=st.integers(-20, 20))  # whole: no rounding, so ties are ties
)


@given(features, st.data())
def test_it_is_the_plain_algorithm(rows, data):
    size = data.draw(st.integers(1, len(rows)))
    found = in_order(rows, size)
    center = rows.mean(axis=0)
    first = np.sum((rows - center) ** 2, axis=1)
    if np.sum(np.isclose(first, first.min())) == 1:  # else the mean's rounding decides where it begins
        assert found == plainly(rows.astype(np.float64), size)
    assert len(set(found)) == size


@pytest.mark.parametrize(("images", "dimensions", "shift"), [(600, 2, 0), (600, 8, 0), (600, 8, 500), (300, 1, 0)])
def test_many_images_in_several_rounds(images, dimensions, shift):
    rng = np.random.default_rng(images + dimensions)
    rows = (rng.normal(size=(images, dimensions)) * rng.lognormal(size=(images, 1)) + shift).astype(np.float32)
    assert in_order(rows, 250) == plainly_with_sums(rows.astype(np.float64), 250)


def test_many_images_at_equal_distances():
    rows = np.random.default_rng(5).integers(-3, 4, size=(500, 2)).astype(np.float32)  # most images are copies
    found = in_order(rows, 400)
    assert found == plainly_with_sums(rows.astype(np.float64), 400, first=found[0])
    assert in_order(np.ones((200, 3), np.float32), 150) == list(range(150))


def plainly_with_sums(features: np.ndarray, size: int, first: int | None = None) -> list[int]:
    """As ``plainly``, with one sum of squared differences for each image and pick."""
    from_mean = np.sum((features - features.mean(axis=0)) ** 2, axis=1)
    rows, nearest = [int(from_mean.argmin()) if first is None else first], np.full(len(features), np.inf)
    while len(rows) < size:
        nearest = np.minimum(nearest, np.sum((features - features[rows[-1]]) ** 2, axis=1))
        nearest[rows[-1]] = -1
        rows.append(int(nearest.argmax()))
    return rows


def test_features_that_are_not_numbers_are_told():
    rows = np.where(np.arange(4)[:, None] == 2, np.nan, FOUR)
    with pytest.raises(ValueError, match="the features of epoch 0 are not finite for 1 of 4 images"):
        in_order(rows, 2)


@given(features, st.data())
def test_smaller_ones_are_beginnings_of_larger_ones(rows, data):
    size = data.draw(st.integers(1, len(rows)))
    assert in_order(rows, len(rows))[:size] == in_order(rows, size)


@given(features)
def test_radii_never_rise(rows):
    """Each image is at most as far from those before it as the one before it was."""
    order = in_order(rows, len(rows))
    radii = [min(np.linalg.norm(rows[image] - rows[order[:n]], axis=1)) for n, image in enumerate(order) if n]
    assert all(later <= earlier for earlier, later in pairwise(radii))


def test_its_radius_is_at_most_twice_the_best():
    from itertools import combinations

    rows = np.random.default_rng(1).normal(size=(9, 2))

    def radius(kept) -> float:
        return max(min(np.linalg.norm(x - rows[k]) for k in kept) for x in rows)

    best = min(radius(kept) for kept in combinations(range(9), 3))
    assert best <= radius(in_order(rows, 3)) <= 2 * best


def test_features_that_were_not_kept_are_named():
    with pytest.raises(ValueError, match="no features were given"):
        choose(Given(np.zeros(3, np.int64), 1), "k_center", {"epoch": 0}, 2, seed=0)
