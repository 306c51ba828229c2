import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from winnow.datasets.label_noise import randomise

UNLABELLED = -1  # no class, so that a label drawn anew shows even where chance draws the old one


@given(st.integers(0, 200), st.floats(0, 1), st.integers(1, 12), st.integers(0, 2**63 - 1))
def test_exactly_the_fraction_is_drawn_anew_from_the_classes(n, fraction, classes, seed):
    before = np.full(n, UNLABELLED)
    after = randomise(before, fraction, classes, seed)
    assert (after != UNLABELLED).sum() == round(fraction * n)
    assert after.max(initial=-1) < classes
    assert np.all(before == UNLABELLED)
    assert after.dtype == np.int64


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 100))
def test_a_larger_fraction_changes_the_same_images_in_the_same_way_and_more(one, other, seed):
    before = np.full(50, UNLABELLED)
    fewer, more = (randomise(before, fraction, 4, seed) for fraction in sorted((one, other)))
    changed = fewer != UNLABELLED
    assert np.array_equal(more[changed], fewer[changed])


def test_new_labels_are_uniform_whatever_the_old_ones_were():
    labels = np.repeat([0, 1], [9000, 1000])
    noisy = randomise(labels, 1.0, 10, 3)
    for old in (0, 1):
        assert chisquare(np.bincount(noisy[labels == old], minlength=10)).pvalue > 1e-3


def test_the_chosen_images_are_spread_evenly():
    changed = sum((randomise(np.full(20, UNLABELLED), 0.25, 5, seed) != UNLABELLED) for seed in range(2000))
    assert np.all(abs(changed - 500) < 4.5 * np.sqrt(2000 * 0.25 * 0.75))


def test_the_seed_decides_which():
    labels = np.arange(300) % 3
    assert np.array_equal(randomise(labels, 0.5, 3, 1), randomise(labels, 0.5, 3, 1))
    assert not np.array_equal(randomise(labels, 0.5, 3, 1), randomise(labels, 0.5, 3, 2))
