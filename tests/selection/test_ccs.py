import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.selection.choose import choose
from winnow.selection.evidence import Given
from winnow.selection.methods.ccs import budgets, ccs, finite, strata_of


def chosen(values, size: int, seed: int = 0, **options) -> np.ndarray:
    evidence = Given(np.zeros(len(values), np.int64), 1, {"el2n": np.asarray(values)})
    return ccs(evidence, size, np.random.default_rng(seed), score="el2n", epoch=0, **options).rows


def test_budgets_by_hand():
    sizes = np.array([70, 20, 8, 2])
    assert budgets(sizes, 20).tolist() == [6, 6, 6, 2]
    assert budgets(sizes, 40).tolist() == [15, 15, 8, 2]
    assert budgets(sizes, 100).tolist() == sizes.tolist()
    assert budgets(np.array([0, 3, 0]), 2).tolist() == [0, 2, 0]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=8), st.data())
def test_budgets_add_up_and_no_stratum_gives_more_than_a_fuller_one(sizes, data):
    total = data.draw(st.integers(0, sum(sizes)))
    counts = budgets(np.array(sizes), total)
    assert counts.sum() == total
    assert (counts <= sizes).all()
    for size, count in zip(sizes, counts, strict=True):
        for other, its_count in zip(sizes, counts, strict=True):
            assert count <= its_count or size >= other


def test_strata_by_hand():
    assert strata_of(np.array([0.0, 0.24, 0.25, 0.5, 0.99, 1.0]), 4).tolist() == [0, 0, 1, 2, 3, 3]
    assert strata_of(np.array([-3.0, -2.0, -1.0]), 2).tolist() == [0, 1, 1]  # the largest is negative
    assert strata_of(np.array([2.0, 2.0]), 3).tolist() == [0, 0]


def test_images_never_learned_are_the_hardest_but_have_a_number():
    assert finite(np.array([0, np.inf, 3], np.float32)).tolist() == [0, 4, 3]
    assert finite(np.array([np.inf, np.inf])).tolist() == [1, 1]


def test_the_hardest_are_left_out_first():
    values = np.arange(100.0)
    assert max(chosen(values, 60, cutoff=0.4)) == 59
    assert sorted(chosen(values, 60, cutoff=0.4)) == list(range(60))
    with pytest.raises(ValueError, match=r"a cutoff of 0.4 has no room for 61 of 100 images; it can be 0.39"):
        chosen(values, 61, cutoff=0.4)


def test_every_stratum_is_drawn_from():
    values = np.concatenate([np.full(70, 0.0), np.full(20, 1.0), np.full(8, 2.0), np.full(2, 3.0)])
    rows = chosen(values, 20, strata=4)
    assert np.bincount(values[rows].astype(int)).tolist() == [6, 6, 6, 2]
    assert len(set(rows.tolist())) == 20


def test_one_stratum_is_a_uniform_draw():
    counts = np.zeros(10)
    for seed in range(1000):
        counts[chosen(np.arange(10.0), 3, seed, strata=1)] += 1
    assert np.abs(counts - 300).max() < 5 * np.sqrt(1000 * 0.3 * 0.7)


def test_rows_rise_and_belong_to_the_seed():
    evidence = Given(np.zeros(50, np.int64), 1, {"el2n": np.random.default_rng(0).random(50)})
    one, again, other = (choose(evidence, "ccs", {"score": "el2n", "epoch": 0}, 20, seed).rows for seed in (1, 1, 2))
    assert (np.diff(one) > 0).all()
    assert one.tolist() == again.tolist() != other.tolist()
