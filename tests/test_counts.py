"""How many images are kept."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.counts import equal_counts, fill, kept, per_class_counts, rounded


@pytest.mark.parametrize(
    ("keep", "images", "count"),
    [(0.5, 10, 5), (0.3, 10, 3), (0.25, 9, 2), (0.999, 10, 10), (7, 10, 7), (10, 10, 10), (1, 10, 1), (0.07, 100, 7)],
)
def test_shares_and_counts(keep, images, count):
    assert kept(keep, images) == count


@pytest.mark.parametrize(("keep", "images"), [(11, 10), (0.01, 10), (0, 10), (-3, 10)])
def test_none_and_too_many(keep, images):
    with pytest.raises(ValueError, match=f"^{keep} is .*from 1 to 10$"):
        kept(keep, images)


@st.composite
def classes_and_keep(draw):
    sizes = draw(st.lists(st.integers(0, 30), min_size=1, max_size=6).filter(any))
    labels = draw(st.permutations([label for label, size in enumerate(sizes) for _ in range(size)]))
    keep = draw(st.integers(1, len(labels)) | st.floats(0.51 / len(labels), 1, exclude_max=True))
    return np.array(labels), sizes, keep


@given(classes_and_keep())
def test_every_class_keeps_its_fraction(case):
    labels, sizes, keep = case
    counts = per_class_counts(kept(keep, len(labels)), labels, len(sizes))
    total = kept(keep, len(labels))
    assert counts.sum() == total
    assert (counts <= sizes).all()
    for count, size in zip(counts.tolist(), sizes, strict=True):
        assert abs(count - Fraction(total * size, len(labels))) < 1


@given(classes_and_keep())
def test_what_is_left_over_goes_to_the_largest_remainders(case):
    labels, sizes, keep = case
    counts = per_class_counts(kept(keep, len(labels)), labels, len(sizes)).tolist()
    exact = [Fraction(kept(keep, len(labels)) * size, len(labels)) for size in sizes]
    up = [e - int(e) for e, count in zip(exact, counts, strict=True) if count > int(e)]
    down = [e - int(e) for e, count in zip(exact, counts, strict=True) if count == int(e)]
    assert not up or not down or min(up) >= max(down)


def test_by_hand():
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    assert per_class_counts(50, labels, 3).tolist() == [25, 15, 10]
    assert per_class_counts(7, labels, 3).tolist() == [4, 2, 1]  # 3.5, 2.1, 1.4
    assert per_class_counts(1, labels, 3).tolist() == [1, 0, 0]
    assert per_class_counts(3, np.array([0, 1, 3, 3]), 5).tolist() == [1, 1, 0, 1, 0]  # 0.75, 0.75, 0, 1.5, 0


def test_filling_by_hand():
    errors, hundred = np.array([0.1, 0.2, 0.5]), np.array([100, 100, 100])
    np.testing.assert_allclose(fill(errors, hundred, 100), [12.5, 25, 62.5])
    np.testing.assert_allclose(fill(errors, hundred, 240), [140 / 3, 280 / 3, 100])
    np.testing.assert_allclose(fill(errors, hundred, 290), [90, 100, 100])  # the second overflows after the third
    np.testing.assert_allclose(fill(np.array([0.0, 1.0]), np.array([9, 4]), 3), [0, 3])
    np.testing.assert_allclose(fill(np.array([0.0, 1.0, 0.0]), np.array([9, 4, 3]), 8), [3, 4, 1])
    np.testing.assert_allclose(fill(np.zeros(2), np.array([6, 2]), 4), [3, 1])
    assert rounded(np.array([12.5, 25, 62.5]), 100).tolist() == [13, 25, 62]


@given(classes_and_keep(), st.data())
def test_what_is_filled_keeps_the_proportions_of_those_with_room(case, data):
    labels, sizes, keep = case
    total = kept(keep, len(labels))
    shares = np.array(data.draw(st.lists(st.floats(0.01, 1), min_size=len(sizes), max_size=len(sizes))))
    found = fill(shares, np.array(sizes), total)
    assert found.sum() == pytest.approx(total)
    assert (found <= sizes).all()
    open_ = found < np.array(sizes) - 1e-9
    level = found[open_] / shares[open_]
    assert not open_.any() or np.ptp(level) < 1e-6 * total
    assert not open_.any() or (found[~open_] / shares[~open_] <= level.max() + 1e-6 * total).all()


@given(classes_and_keep())
def test_equal_counts_differ_by_one_at_most_where_there_is_room(case):
    labels, sizes, keep = case
    total = kept(keep, len(labels))
    counts = equal_counts(total, labels, len(sizes))
    assert counts.sum() == total
    assert (counts <= sizes).all()
    of_open = counts[counts < sizes]
    assert not len(of_open) or counts.max() - of_open.min() <= 1


@given(st.lists(st.integers(0, 30), min_size=1, max_size=8), st.integers(0, 100))
def test_equal_counts_against_one_by_one(sizes, total):
    """Give one image at a time to the class that has given least and has some left."""
    total = min(total, sum(sizes))
    given_so_far = [0] * len(sizes)
    for _ in range(total):
        open_ = [number for number, size in enumerate(sizes) if given_so_far[number] < size]
        given_so_far[min(open_, key=lambda number: given_so_far[number])] += 1
    labels = np.repeat(np.arange(len(sizes)), sizes)
    assert equal_counts(total, labels, len(sizes)).tolist() == given_so_far
