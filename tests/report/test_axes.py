import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from winnow.report.axes import PLAIN, beside, density_axis, error_axis, given_axis, is_wide, root_ticks
from winnow.report.style import Style, drawing, new_figure

pytestmark = pytest.mark.filterwarnings("error")


def panel():
    with drawing(Style()):
        return new_figure(Style(), 4, 3).subplots()


@given(st.floats(1e-3, 1e3), st.floats(0.05, 0.4))
def test_ticks_of_a_root_axis_are_round_and_apart(high, room):
    ticks = np.array(root_ticks(high, room))
    assert ticks[0] == 0 and ticks[-1] <= high
    assert (np.diff(np.sqrt(ticks)) >= room * np.sqrt(high) * (1 - 1e-9)).all()
    for tick in ticks[1:]:
        assert round(tick / 10 ** math.floor(math.log10(tick) + 1e-9), 6) in (1, 2, 5)


@pytest.mark.parametrize(
    ("values", "from_zero", "scale"),
    [
        ([8, 9, 11], False, "linear"),
        ([8, 9, 80], False, "log"),
        ([0, 9, 80], False, "function"),
        ([0.1, 9, 80], False, "function"),
        ([0.3, 9, 20], True, "function"),
        ([0.3, 0.4], True, "linear"),
        ([0, 0], True, "linear"),
        ([math.nan, 5], False, "linear"),
    ],
)
def test_errors_are_all_within_their_axis_and_a_wide_range_is_not_linear(values, from_zero, scale):
    axes = panel()
    error_axis(axes, "Error", values, from_zero=from_zero)
    low, high = axes.get_ylim()
    assert axes.get_yscale() == scale
    assert low <= np.nanmin(values) and np.nanmax(values) < high
    assert not from_zero or low == 0
    assert ("square-root" in axes.get_ylabel()) == (scale == "function")
    assert ("logarithmic" in axes.get_ylabel()) == (scale == "log")


@settings(max_examples=30)
@given(st.lists(st.floats(1e-4, 1), min_size=1, max_size=30))
def test_weights_left_fall_to_the_right_from_100_percent(left):
    axes = panel()
    density_axis(axes, left)
    first, last = axes.get_xlim()
    assert first > 100 > last and 100 * min(left) > last
    ticks = [tick for tick in axes.xaxis.get_majorticklocs() if last <= tick <= first]
    assert ticks and max(ticks) <= 100 * (1 + 1e-9)


def factors(axes, lines):
    """By how much each line is moved on a logarithmic axis; all its places alike."""
    rows = [(line, place) for line, places in lines.items() for place in places]
    table = pd.DataFrame(rows, columns=["line", "density"])
    moved = beside(axes, table, "density")
    found = (moved["density"] / table["density"]).groupby(table["line"], sort=False)
    assert found.std().fillna(0).max() < 1e-9
    assert moved["moved"].tolist() == (moved["density"] != table["density"]).tolist()
    return found.first().to_dict()


def test_lines_that_share_a_place_are_drawn_side_by_side():
    axes = panel()
    left = {"a": 0.8 ** np.arange(1, 33), "b": np.array([0.64]), "c": np.array([1.0]), "d": np.array([0.6401, 0.8**32])}
    density_axis(axes, np.concatenate(list(left.values())))
    found = factors(axes, {line: 100 * own for line, own in left.items()})
    assert found["a"] == found["c"] == 1, "the first, and the one that is alone"
    first, last = axes.get_xlim()
    axis = math.log(first / last)
    b, d = (math.log(found[line]) / axis for line in "bd")
    assert min(abs(b), abs(d), abs(b - d)) > 0.005
    assert max(abs(b), abs(d)) * axis < math.log(1 / 0.8) / 2, "no further than half way to the next level"
    assert first > 100 and last < 100 * 0.8**32 * min(found.values())


def test_lines_apart_stay_where_they_are():
    axes = panel()
    density_axis(axes, [0.1])
    before = axes.get_xlim()
    assert factors(axes, {"a": [80.0, 40], "b": [60.0]}) == {"a": 1, "b": 1}
    np.testing.assert_allclose(axes.get_xlim(), before)
    only = factors(axes, {str(i): [100.0] for i in range(9)})
    assert len({*only.values()}) == 9 and axes.get_xlim()[0] > 100 * max(only.values())


def test_on_a_linear_axis_lines_are_moved_by_a_distance():
    axes = panel()
    axes.set_xlim(0, 10)
    table = pd.DataFrame({"line": ["a", "a", "b", "b"], "x": [2.0, 8, 2, 8]})
    moved = beside(axes, table, "x")["x"] - table["x"]
    assert moved[0] == moved[1] == 0 and moved[2] == pytest.approx(moved[3]) and 0.05 < abs(moved[2]) < 0.3


def test_markers_at_zero_are_whole_on_an_axis_from_zero():
    axes = panel()
    (marked,), (bare,) = axes.plot([0, 1], [0, 5], marker="o"), axes.plot([0, 1], [0, 5])
    error_axis(axes, "Error", [0, 5], from_zero=True)
    assert not marked.get_clip_on() and marked.get_zorder() > axes.spines["bottom"].get_zorder()
    assert bare.get_clip_on()


def test_given_places_are_numbered_where_there_is_room():
    axes = panel()
    given_axis(axes, [0, 100, 200, 8000, 8001])
    assert axes.get_xscale() == "symlog"
    assert list(axes.xaxis.get_majorticklocs()) == [0, 100, 200, 8000]
    low, high = axes.get_xlim()
    assert low < 0 and high > 8001
    given_axis(axes := panel(), [3])
    assert axes.get_xscale() == "linear" and list(axes.xaxis.get_majorticklocs()) == [3]


def test_small_helpers():
    assert not is_wide([]) and not is_wide([1, 4]) and is_wide([0, 1]) and is_wide([1, math.nan, 5])
    assert [PLAIN(-1.50), PLAIN(12000), PLAIN(0.05)] == ["−1.5", "12,000", "0.05"]
