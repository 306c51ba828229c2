import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.selection.methods.ranked import above, top

SCORES = np.array([0.3, 0.9, 0.1, 0.9, 0.5])  # rising: rows 2, 0, 4, 1, 3
scores = st.lists(st.sampled_from([0.0, 0.5, 1.0, -2.0, np.inf]), min_size=1, max_size=12).map(np.array)


def test_top_by_hand():
    assert top(SCORES, 1).tolist() == [1]  # of equal scores, the earlier row
    assert top(SCORES, 3).tolist() == [1, 3, 4]
    assert top(SCORES, 5).tolist() == [1, 3, 4, 0, 2]


def test_window_by_hand():
    assert above(SCORES, 2, 0.0).tolist() == [2, 0]
    assert above(SCORES, 2, 0.2).tolist() == [0, 4]
    assert above(SCORES, 2, 0.6).tolist() == [1, 3]
    assert above(SCORES, 5, 0.0).tolist() == [2, 0, 4, 1, 3]


@given(scores, st.data())
def test_top_holds_the_highest(values, data):
    count = data.draw(st.integers(1, len(values)))
    rows = top(values, count)
    assert len(set(rows.tolist())) == count
    assert sorted(values[rows]) == sorted(values)[-count:]


@given(scores, st.data())
def test_a_window_is_a_stretch_of_the_sorted_scores(values, data):
    count = data.draw(st.integers(1, len(values)))
    skipped = data.draw(st.integers(0, len(values) - count))
    rows = above(values, count, skipped / len(values))
    assert len(set(rows.tolist())) == count
    assert values[rows].tolist() == sorted(values)[skipped : skipped + count]


def test_the_last_window_is_the_top_where_no_scores_are_equal():
    values = np.random.default_rng(0).random(50)
    assert set(above(values, 20, 0.6)) == set(top(values, 20))


def test_a_window_without_room():
    with pytest.raises(ValueError, match=r"a window from 0\.7 has no room for 2 of 5 images; it can start at 0\.6"):
        above(SCORES, 2, 0.7)


@pytest.mark.parametrize(("images", "count"), [(10_000, 5001), (1797, 898), (7, 3), (3, 1), (10, 10)])
def test_the_start_that_is_proposed_has_room(images, count):
    with pytest.raises(ValueError, match="it can start at") as caught:
        above(np.arange(images), count, 0.99)
    proposed = float(str(caught.value).rsplit(" ", 1)[1])
    assert len(above(np.arange(images), count, proposed)) == count
