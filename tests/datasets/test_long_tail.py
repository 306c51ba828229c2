import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from winnow.datasets.long_tail import class_sizes, long_tail

COUNTS = st.lists(st.integers(1, 60), min_size=1, max_size=6)


def test_the_published_sizes_of_long_tailed_cifar() -> None:
    """The class sizes of CIFAR-10-LT at imbalance 100 and 10, as in the code of Cui et al. and of those after them."""
    images = np.full(10, 5000)
    assert class_sizes(images, 100).tolist() == [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]
    assert class_sizes(images, 10).tolist() == [5000, 3871, 2997, 2320, 1796, 1391, 1077, 834, 645, 500]


def test_a_class_that_has_too_few_images_lowers_all_alike() -> None:
    # 8, 4, 2 by hand; of 3 in the middle class there are only enough for 6, 3, 1
    assert class_sizes(np.array([8, 9, 9]), 4).tolist() == [8, 4, 2]
    assert class_sizes(np.array([8, 3, 9]), 4).tolist() == [6, 3, 1]


@given(COUNTS, st.floats(1.001, 50), st.integers(0, 2**63 - 1))
def test_every_class_keeps_what_it_should_and_no_row_twice(counts, factor, seed) -> None:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    rows = long_tail(labels, len(counts), factor, seed)
    assert np.all(np.diff(rows) > 0)
    kept = np.bincount(labels[rows], minlength=len(counts))
    assert np.array_equal(kept, class_sizes(np.array(counts), factor))
    assert np.all(np.diff(kept) <= 0)


@given(COUNTS, st.floats(1.001, 50), st.floats(1.001, 50), st.integers(0, 100))
def test_a_larger_factor_leaves_out_the_same_images_and_more(counts, one, other, seed) -> None:
    labels = np.repeat(np.arange(len(counts)), counts[0])
    more, fewer = (set(long_tail(labels, len(counts), factor, seed)) for factor in sorted((one, other)))
    assert fewer <= more


def test_the_seed_decides_which() -> None:
    labels = np.arange(300) % 3
    assert not np.array_equal(long_tail(labels, 3, 10, 1), long_tail(labels, 3, 10, 2))
