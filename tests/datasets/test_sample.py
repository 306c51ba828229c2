"""Samples of images to measure on: of any part of the source, the same every time."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from winnow.datasets.images import Labelled, sample


def numbered(n: int) -> Labelled:
    """Images of one pixel, which holds their number, as does their label."""
    return Labelled(np.arange(n, dtype=np.uint8).reshape(n, 1, 1, 1), np.arange(n))


@given(n=st.integers(0, 200), smaller=st.integers(1, 250), more=st.integers(0, 100))
def test_samples_are_nested_and_in_order(n, smaller, more):
    small, large = sample(numbered(n), smaller), sample(numbered(n), smaller + more)
    assert len(small) == min(n, smaller)
    assert set(small.labels) <= set(large.labels)
    assert (np.diff(small.labels) > 0).all()
    np.testing.assert_array_equal(np.asarray(small.pixels[:]).ravel(), small.labels)
    np.testing.assert_array_equal(small.labels, sample(numbered(n), smaller).labels)


def test_a_sample_is_of_all_classes_of_a_sorted_set():
    classes = np.repeat(np.arange(10), 20)
    counts = np.bincount(classes[sample(numbered(200), 100).labels], minlength=10)
    assert counts.min() >= 4  # of 20 each; 3 or fewer would be a chance of less than 1 in 1,000
    assert len(sample(numbered(200), None)) == 200
