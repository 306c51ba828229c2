from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from tests.report.drawn import line
from tests.report.ticket_data import level_names, lines
from winnow.analysis.curves import along_lines
from winnow.report.lines import chosen, lines_figure
from winnow.report.style import Style

NO_VERDICTS = pd.DataFrame(
    {"level": [], "parent": [], "matching": [], "barrier_to_parent": [], "connected_to_parent": []}
)


def successive(levels):
    """Verdicts on the pairs of ``lines``: all match, are connected, and have no barrier."""
    names = level_names(levels)
    table = pd.DataFrame({"level": names, "parent": ["", *names[:-1]], "matching": True, "barrier_to_parent": 0.0})
    return table.assign(connected_to_parent=pd.Series([None, *[True] * levels], dtype=object))


def test_lines_are_means_over_replicates():
    table = lines(3)
    figure = lines_figure(
        along_lines(table.sample(frac=1, random_state=0).sort_values(["a", "b"])), NO_VERDICTS, Style()
    )
    assert [axes.get_title() for axes in figure.axes] == ["dense to l1", "l1 to l2", "l2 to l3"]
    for split in ("train", "test"):
        drawn = line(figure.axes[1], f"{split} images")
        rows = table[(table["a"] == "l1") & (table["split"] == split)]
        by_hand = [100 * rows.loc[rows["alpha"] == alpha, "error"].mean() for alpha in np.linspace(0, 1, 11).round(6)]
        np.testing.assert_allclose(drawn.get_xdata(), np.linspace(0, 1, 11))
        np.testing.assert_allclose(drawn.get_ydata(), by_hand)
    assert "3 seeds" in figure.get_suptitle()


def test_the_straight_line_between_the_ends_is_what_a_barrier_is_the_excess_over():
    table = lines(12)
    figure = lines_figure(along_lines(table), NO_VERDICTS, Style())
    assert figure.axes[0].get_yscale() == "function"
    rows = table[(table["b"] == "l12") & (table["split"] == "test")]
    first, last = (100 * rows.loc[rows["alpha"] == end, "error"].mean() for end in (0, 1))
    chord = line(figure.axes[-1], "test images, straight")
    x = chord.get_xdata()
    assert x[0] == 0 and x[-1] == 1 and len(x) > 20  # points enough to be straight in percent on a bent axis
    np.testing.assert_allclose(chord.get_ydata(), first + (last - first) * x)


def test_barriers_and_levels_that_do_not_match_are_told_in_the_titles():
    verdicts = successive(3).assign(matching=[True, True, False, None], barrier_to_parent=[None, 0.0031, 0.128, None])
    figure = lines_figure(along_lines(lines(3)), verdicts, Style())
    assert [axes.get_title() for axes in figure.axes] == ["dense to l1: 0.31", "l1 to l2*: 13", "l2* to l3"]
    assert "barrier" in figure.get_suptitle() and "*: not matching" in figure.get_suptitle()
    unknown = lines_figure(along_lines(lines(3)), NO_VERDICTS, Style()).get_suptitle()
    assert "barrier" not in unknown and "matching" not in unknown


def test_of_many_pairs_some_are_shown_from_first_to_last():
    figure = lines_figure(along_lines(lines(25, seeds=1, points=3)), NO_VERDICTS, Style())
    titles = [axes.get_title() for axes in figure.axes]
    assert len(titles) == 24 and titles[0] == "dense to l1" and titles[-1] == "l24 to l25"
    assert figure.get_suptitle() == "one seed each: no band\n24 of 25 pairs"


def test_pairs_that_do_not_match_or_are_not_connected_are_always_shown():
    names = level_names(100)
    pairs = list(pairwise(names))
    verdicts = successive(100).astype({"matching": object})
    verdicts.loc[38, "matching"] = verdicts.loc[46, "connected_to_parent"] = False
    verdicts.loc[20, ["matching", "connected_to_parent"]] = np.nan
    found = chosen(pairs, verdicts, 7)
    assert len(found) == 7 and found == sorted(found, key=pairs.index)
    assert {("l37", "l38"), ("l45", "l46"), pairs[0], pairs[-1]} <= set(found)
    assert chosen(pairs[:7], verdicts, 7) == pairs[:7]
    bad = verdicts.assign(matching=False)
    assert chosen(pairs, bad, 3) == [pairs[0], pairs[50], pairs[99]]


@pytest.mark.parametrize("pairs", [1, 5])
def test_lowest_panel_of_every_column_has_its_numbers(pairs):
    axes_of_all = lines_figure(along_lines(lines(pairs)), successive(pairs), Style()).axes
    assert len(axes_of_all) == pairs
    for axes in axes_of_all[-min(pairs, 4) :]:
        assert axes.get_xlabel() and axes.xaxis.get_tick_params()["labelbottom"]
