import math

import numpy as np
import pytest
from ticket_data import EPSILON, MANY_LINES, barriers, tickets, verdicts

from winnow.report.style import Style
from winnow.report.tickets import cut_errors_figure, tickets_figure

TABLE = tickets()
VERDICTS = verdicts(TABLE, barriers(TABLE))


def drawn(axes, label):
    return next(line for line in axes.lines if line.get_label() == label)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_line_is_the_mean_error_of_each_level_against_its_share_left(split):
    axes = tickets_figure(TABLE.sample(frac=1, random_state=0), VERDICTS, Style(), split).axes[0]
    of_split = TABLE[TABLE["split"] == split]
    by_hand = [100 * np.mean(of_split.loc[of_split["level"] == f"l{i}", "error"]) for i in range(1, 13)]
    np.testing.assert_allclose(drawn(axes, "IMP").get_xdata(), [100 * 0.8**i for i in range(1, 13)])
    np.testing.assert_allclose(drawn(axes, "IMP").get_ydata(), by_hand)
    dense = 100 * of_split.loc[of_split["level"] == "dense", "error"].mean()
    np.testing.assert_allclose(drawn(axes, "dense").get_ydata(), dense)
    assert axes.get_ylabel().startswith(split.capitalize())


def test_band_and_matching_limit():
    axes = tickets_figure(TABLE, VERDICTS, Style()).axes[0]
    of_test = TABLE[TABLE["split"] == "test"]
    vertices = axes.collections[0].get_paths()[0].vertices
    at = np.isclose(vertices[:, 0], 100 * 0.8**3)
    low, high = np.percentile(100 * of_test.loc[of_test["level"] == "l3", "error"], [16, 84])
    np.testing.assert_allclose([vertices[at, 1].min(), vertices[at, 1].max()], [low, high])
    dense = 100 * of_test.loc[of_test["level"] == "dense", "error"].mean()
    limit = axes.patches[0].get_extents().transformed(axes.transData.inverted())
    np.testing.assert_allclose([limit.y0, limit.y1], [dense, dense + 100 * EPSILON], rtol=1e-6)


def test_levels_that_do_not_match_are_hollow():
    verdict = VERDICTS.assign(matching=~VERDICTS["level"].isin(["l3", "l12"]))
    hollow = drawn(tickets_figure(TABLE, verdict, Style()).axes[0], "_IMP, hollow")
    np.testing.assert_allclose(hollow.get_xdata(), [100 * 0.8**3, 100 * 0.8**12])
    assert hollow.get_markerfacecolor() == "white"


def test_a_wide_range_gets_a_closer_view_of_the_limit():
    table = tickets(MANY_LINES)
    whole, close = tickets_figure(table, verdicts(table, barriers(table)), Style()).axes
    assert whole.get_yscale() == "log" and close.get_yscale() == "linear"
    assert close.get_ylim()[1] < 100 * (table.loc[table["level"] == "dense", "error"].max() + 6 * EPSILON)
    np.testing.assert_array_equal(drawn(whole, "IMP on el2n-0.5, rewind early").get_ydata(),
                                  drawn(close, "IMP on el2n-0.5, rewind early").get_ydata())  # fmt: skip
    assert len(tickets_figure(TABLE, VERDICTS, Style()).axes) == 1


def test_without_epsilon_or_a_dense_network_there_is_no_limit():
    no_limit = tickets_figure(TABLE, VERDICTS.assign(epsilon=math.nan), Style()).axes[0]
    assert not no_limit.patches and "epsilon" not in no_limit.get_title("left")
    no_dense = tickets_figure(TABLE[TABLE["level"] != "dense"], VERDICTS, Style())
    assert not no_dense.axes[0].patches
    assert [text.get_text() for text in no_dense.legends[0].get_texts()] == ["IMP"]


def test_a_level_without_a_verdict_leaves_all_markers_filled():
    axes = tickets_figure(TABLE, VERDICTS.assign(matching=None), Style()).axes[0]
    assert "not known" in axes.get_title("left")
    assert not any("hollow" in line.get_label() for line in axes.lines)


def test_shares_left_that_differ_between_replicates_are_averaged():
    table = tickets([("adaptive", "early", "full")])
    axes = tickets_figure(table, verdicts(table, barriers(table)), Style()).axes[0]
    left = table[table["split"] == "test"].groupby("level")["left"].mean()
    np.testing.assert_allclose(drawn(axes, "adaptive cuts").get_xdata()[4], 100 * left["l5"])


def test_errors_after_a_cut_are_drawn_beside_those_after_retraining():
    table = tickets(MANY_LINES[:2])
    figure = cut_errors_figure(table, Style())
    assert [axes.get_title() for axes in figure.axes] == ["IMP, rewind early", "IMP, rewind easy"]
    rows = table[(table["split"] == "test") & (table["rewind"] == "easy")]
    for label, column, cuts in (
        ("right after the cut", "error_after_cut", 1),
        ("after two cuts in a row", "error_after_two_cuts", 2),
        ("after retraining", "error", 1),
    ):
        by_hand = 100 * rows.groupby("left")[column].mean()[::-1]
        left = [100 * 0.8 ** (parents + cuts) for parents in range(12)]  # every level cuts a fifth of its parent
        np.testing.assert_allclose(drawn(figure.axes[1], label).get_xdata(), left)
        np.testing.assert_allclose(drawn(figure.axes[1], label).get_ydata(), by_hand)


def test_two_cuts_are_drawn_at_what_they_leave_of_each_replicate():
    table = tickets(levels=2, seeds=2)
    kept = {("l1", 0): 0.5, ("l1", 1): 0.4, ("l2", 0): 0.3, ("l2", 1): 0.1}
    table["left"] = [kept.get(key, 1.0) for key in zip(table["level"], table["seed"], strict=True)]
    axes = cut_errors_figure(table, Style()).axes[0]
    twice = [(0.5 * 0.5 + 0.4 * 0.4) / 2, (0.3 * 0.3 / 0.5 + 0.1 * 0.1 / 0.4) / 2]
    np.testing.assert_allclose(drawn(axes, "after two cuts in a row").get_xdata(), 100 * np.array(twice))
    assert axes.get_xlim()[1] < 100 * min(twice)


def test_lines_without_an_error_after_the_cut_have_no_panel():
    table = tickets(MANY_LINES[:4], levels=2)
    columns = ["error_after_cut", "error_after_two_cuts"]
    table.loc[table["variant"] == "learning_rate", columns] = np.nan
    assert len(cut_errors_figure(table, Style()).axes) == 3


def test_number_of_seeds_is_told():
    assert "mean of 3 seeds" in tickets_figure(TABLE, VERDICTS, Style()).axes[0].get_title("left")
    one = TABLE[TABLE["seed"] == 0]
    figure = tickets_figure(one, VERDICTS, Style())
    assert "one seed" in figure.axes[0].get_title("left") and not figure.axes[0].collections
