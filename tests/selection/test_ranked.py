import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.selection.choices import choices
from winnow.selection.choose import choose
from winnow.selection.evidence import Given
from winnow.selection.methods.ranked import above, ends, middle, ranked, top

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


def test_the_middle_and_the_ends_by_hand():
    assert middle(SCORES, 1).tolist() == [4]
    assert middle(SCORES, 2).tolist() == [0, 4]
    assert middle(SCORES, 5).tolist() == [2, 0, 4, 1, 3]
    assert ends(SCORES, 3, 0.7).tolist() == [1, 3, 2]
    assert ends(SCORES, 2, 0.0).tolist() == [0, 2]
    assert ends(SCORES, 2, 1.0).tolist() == top(SCORES, 2).tolist()


@given(scores, st.floats(0, 1), st.data())
def test_both_ends_are_the_first_and_the_last_of_the_sorted_scores(values, hardest, data):
    count = data.draw(st.integers(1, len(values)))
    rows = ends(values, count, hardest)
    low = count - round(hardest * count)
    assert len(set(rows.tolist())) == count
    assert sorted(values[rows]) == sorted(values)[:low] + sorted(values)[len(values) - (count - low) :]


@given(scores, st.data())
def test_the_middle_is_a_window_that_leaves_out_the_same_at_both_ends(values, data):
    count = data.draw(st.integers(1, len(values)))
    assert middle(values, count).tolist() == above(values, count, (len(values) - count) // 2 / len(values)).tolist()


LABELS = np.repeat([0, 1, 2], [10, 6, 2])
EVIDENCE = Given(LABELS, 4, {"el2n": np.random.default_rng(0).random(18)})


def by_name(name: str, size: int) -> np.ndarray:
    choice = choices([name], epoch=0)[name]
    return choose(EVIDENCE, choice.method, choice.options, size, seed=0).rows


def test_equal_counts_and_what_a_small_class_lacks_goes_to_the_others():
    assert np.bincount(LABELS[by_name("el2n-equal", 6)]).tolist() == [2, 2, 2]
    assert np.bincount(LABELS[by_name("el2n-equal", 11)]).tolist() == [5, 4, 2]
    assert np.bincount(LABELS[by_name("el2n-equal", 15)]).tolist() == [7, 6, 2]
    found = by_name("el2n-easy-equal", 6)
    for label in range(3):
        of_class = np.flatnonzero(label == LABELS)
        easiest = of_class[np.argsort(EVIDENCE.scores["el2n"][of_class])[:2]]
        assert sorted(found[LABELS[found] == label]) == sorted(easiest)


def test_names_of_the_same_window_choose_the_same():
    assert by_name("el2n-easy", 7).tolist() == by_name("el2n-window0", 7).tolist()
    assert sorted(by_name("el2n-middle", 8)) == sorted(above(EVIDENCE.scores["el2n"], 8, 5 / 18))


@pytest.mark.parametrize("options", [{"hardest": 0.5}, {"window": 0.2, "hardest": 0.5}, {"equal": True}])
def test_options_that_say_nothing_by_themselves_are_refused(options):
    with pytest.raises(ValueError, match=r"^hardest: is of window: ends|^equal: give per_class too"):
        ranked(EVIDENCE, 3, np.random.default_rng(0), score="el2n", epoch=0, **options)
