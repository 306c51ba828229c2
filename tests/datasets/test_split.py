import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from winnow.datasets.split import hold_out

label_arrays = st.lists(st.integers(0, 5), max_size=80).map(lambda labels: np.array(labels, dtype=np.int64))
fractions = st.floats(0, 1, exclude_max=True)
seeds = st.integers(0, 2**63 - 1)


@given(label_arrays, fractions, seeds)
def test_every_image_is_in_exactly_one_part_in_its_old_order(labels, fraction, seed):
    kept, held = hold_out(labels, fraction, seed)
    assert sorted([*kept, *held]) == list(range(len(labels)))
    assert list(kept) == sorted(kept)
    assert list(held) == sorted(held)


@given(label_arrays, fractions, seeds)
def test_every_class_loses_its_fraction(labels, fraction, seed):
    _, held = hold_out(labels, fraction, seed)
    for label in range(6):
        assert (labels[held] == label).sum() == round(fraction * int((labels == label).sum()))


@given(label_arrays, fractions, fractions, seeds)
def test_a_larger_fraction_holds_out_the_same_images_and_more(labels, one, other, seed):
    _, fewer = hold_out(labels, min(one, other), seed)
    _, more = hold_out(labels, max(one, other), seed)
    assert set(fewer) <= set(more)


def test_the_seed_decides_which():
    labels = np.repeat(np.arange(3), 100)
    assert np.array_equal(hold_out(labels, 0.3, 1)[1], hold_out(labels, 0.3, 1)[1])
    assert not np.array_equal(hold_out(labels, 0.3, 1)[1], hold_out(labels, 0.3, 2)[1])


def test_every_image_is_held_out_as_often_as_any_other():
    labels = np.repeat(np.arange(2), 10)
    times = sum(np.bincount(hold_out(labels, 0.3, seed)[1], minlength=20) for seed in range(2000))
    assert np.all(abs(times - 600) < 4.5 * np.sqrt(2000 * 0.3 * 0.7))
