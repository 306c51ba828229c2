import numpy as np
import pandas as pd
import pytest

from tests.report.drawn import line
from winnow.report.marks import band_note, draw_lines, some_of, span
from winnow.report.style import Style, drawing, looks, new_figure

pytestmark = pytest.mark.filterwarnings("error")
TABLE = pd.DataFrame(
    [("a", 2.0, 5.0, 4.0, 6.0, 3), ("a", 1.0, 3.0, 2.0, 3.5, 3), ("b", 1.0, 7.0, 6.0, 9.0, 3)],
    columns=["line", "x", "mean", "low", "high", "count"],
)


def panel(table, **axis):
    with drawing(Style()):
        axes = new_figure(Style(), 4, 3).subplots()
        axes.set(**axis)
        return axes, draw_lines(axes, table, "x", looks("abc"))


def test_a_line_runs_through_the_means_from_left_to_right_with_a_band():
    axes, drawn = panel(TABLE)
    assert list(drawn) == ["a", "b"] and drawn["a"] is line(axes, "a")
    np.testing.assert_array_equal(line(axes, "a").get_xydata(), [[1, 3], [2, 5]])
    corners = {tuple(corner) for corner in axes.collections[0].get_paths()[0].vertices}
    assert {(1, 2), (1, 3.5), (2, 4), (2, 6)} <= corners
    inverted, _ = panel(TABLE, xlim=(3, 0))
    np.testing.assert_array_equal(line(inverted, "a").get_xdata(), [2, 1])


def test_over_a_single_place_the_band_is_a_bar_and_of_one_seed_there_is_none():
    axes, _ = panel(TABLE)
    np.testing.assert_array_equal(axes.collections[1].get_segments(), [[[1, 6], [1, 9]]])
    assert not panel(TABLE.assign(count=1))[0].collections


def test_hollow_markers_are_those_that_are_not_filled():
    axes, _ = panel(TABLE.assign(filled=[True, False, True]))
    assert line(axes, "_a, hollow").get_xydata().tolist() == [[1, 3]]
    assert line(axes, "_a, hollow").get_markerfacecolor() == "white"


def test_numbers_of_seeds_in_words():
    assert [span(pd.Series(counts)) for counts in ([1], [4, 4], [2, 4])] == ["1 seed", "4 seeds", "2 to 4 seeds"]
    assert "mean of 3 seeds; band" in band_note(pd.Series([3])) and "no band" in band_note(pd.Series([1]))


def test_of_many_some_are_shown_and_it_is_said():
    assert some_of(range(25), 3, "levels") == ([0, 12, 24], "; 3 of 25 levels")
    assert some_of("abab", 3, "levels") == (["a", "b"], "")
    assert some_of("abc", 1, "levels")[0] == ["a"] and some_of([], 3, "levels") == ([], "")
