import math

import numpy as np

from tests.report.drawn import labels, legend, line
from tests.report.ticket_data import EPSILON, MANY_LINES, barriers, tickets, verdicts
from winnow.analysis.cuts import errors_around_cuts
from winnow.report.style import Style
from winnow.report.tickets import cut_errors_figure, tickets_figure

TABLE = tickets()
VERDICTS = verdicts(TABLE, barriers(TABLE))


def test_a_line_is_the_mean_error_of_each_level_against_its_fraction_left():
    axes = tickets_figure(VERDICTS.sample(frac=1, random_state=0), Style()).axes[0]
    of_split = TABLE[TABLE["split"] == "test"]
    by_hand = [100 * np.mean(of_split.loc[of_split["level"] == f"l{i}", "error"]) for i in range(1, 13)]
    np.testing.assert_allclose(line(axes, "IMP").get_xdata(), [100 * 0.8**i for i in range(1, 13)])
    np.testing.assert_allclose(line(axes, "IMP").get_ydata(), by_hand)
    dense = 100 * of_split.loc[of_split["level"] == "dense", "error"].mean()
    np.testing.assert_allclose(line(axes, "dense").get_ydata(), dense)
    assert axes.get_ylabel().startswith("Test")


def test_band_and_matching_limit():
    axes = tickets_figure(VERDICTS, Style()).axes[0]
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
    hollow = line(tickets_figure(verdict, Style()).axes[0], "_IMP, hollow")
    np.testing.assert_allclose(hollow.get_xdata(), [100 * 0.8**3, 100 * 0.8**12])
    assert hollow.get_markerfacecolor() == "white"


def test_a_wide_range_gets_a_closer_view_of_the_limit():
    table = tickets(MANY_LINES)
    whole, close = tickets_figure(verdicts(table, barriers(table)), Style()).axes
    assert whole.get_yscale() == "log" and close.get_yscale() == "linear"
    assert close.get_ylim()[1] < 100 * (table.loc[table["level"] == "dense", "error"].max() + 6 * EPSILON)
    np.testing.assert_array_equal(line(whole, "IMP on el2n-0.5, rewind early").get_ydata(),
                                  line(close, "IMP on el2n-0.5, rewind early").get_ydata())  # fmt: skip
    assert len(tickets_figure(VERDICTS, Style()).axes) == 1


def of_three_lines():
    """A line of two levels, and two levels of their own with the second one's fraction left: one far off, one near."""
    table = tickets(MANY_LINES[:1] + MANY_LINES[5:7], levels=2)
    own = {"line1-l2": "far", "line2-l2": "near"}
    table = table[~table["level"].isin(["line1-l1", "line2-l1"])].replace({"level": own})
    table["parent"] = table["parent"].mask(table["level"].isin(own.values()), "dense")
    table["density"] = table["density"].mask(table["level"].isin(["far", "near"]), 0.64)
    table["error"] = table["error"].mask(table["level"] == "far", 0.6 + 0.1 * table["seed"])
    return table


def test_levels_of_the_same_fraction_are_apart_and_single_ones_have_their_names():
    table = of_three_lines()
    whole = tickets_figure(verdicts(table, barriers(table)), Style()).axes[0]
    np.testing.assert_allclose(line(whole, "IMP").get_xdata(), [80, 64])
    far, near = line(whole, "one-shot").get_xdata()[0], line(whole, "adaptive cuts").get_xdata()[0]
    assert len({64, far, near}) == 3 and max(abs(far - 64), abs(near - 64)) < 2
    assert {text.get_text(): text.xy[0] for text in whole.texts} == {"far": far, "near": near}
    assert "moved aside" in whole.get_title("left")


def test_of_a_level_out_of_the_closer_view_no_stub_is_line():
    table = of_three_lines()
    whole, close = tickets_figure(verdicts(table, barriers(table)), Style()).axes
    assert "one-shot" not in labels(close)
    assert [text.get_text() for text in close.texts] == ["near"]
    assert len(whole.collections) == 3 and len(close.collections) == 2
    names = legend(whole.figure)
    assert names == ["IMP", "one-shot", "adaptive cuts", "dense"]


def test_without_epsilon_or_a_dense_network_there_is_no_limit():
    no_limit = tickets_figure(VERDICTS.assign(epsilon=math.nan), Style()).axes[0]
    assert not no_limit.patches and "epsilon" not in no_limit.get_title("left")
    no_dense = tickets_figure(VERDICTS[VERDICTS["level"] != "dense"], Style())
    assert not no_dense.axes[0].patches
    assert legend(no_dense) == ["IMP"]


def test_a_level_without_a_verdict_leaves_all_markers_filled():
    axes = tickets_figure(VERDICTS.assign(matching=None), Style()).axes[0]
    assert "not known" in axes.get_title("left")
    assert not any("hollow" in label for label in labels(axes))


def test_shares_left_that_differ_between_replicates_are_averaged():
    table = tickets([("adaptive", "early", "full")])
    axes = tickets_figure(verdicts(table, barriers(table)), Style()).axes[0]
    left = table[table["split"] == "test"].groupby("level")["density"].mean()
    np.testing.assert_allclose(line(axes, "adaptive cuts").get_xdata()[4], 100 * left["l5"])


def test_errors_after_a_cut_are_drawn_beside_those_after_retraining():
    table = tickets(MANY_LINES[:2])
    figure = cut_errors_figure(errors_around_cuts(table), Style())
    assert [axes.get_title() for axes in figure.axes] == ["IMP, rewind early", "IMP, rewind easy"]
    rows = table[(table["split"] == "test") & (table["rewind"] == "easy")]
    for label, column, cuts in (
        ("right after the cut", "error_after_cut", 1),
        ("after two cuts in a row", "error_after_two_cuts", 2),
        ("after retraining", "error", 1),
    ):
        by_hand = 100 * rows.groupby("density")[column].mean()[::-1]
        left = [100 * 0.8 ** (parents + cuts) for parents in range(12)]  # every level cuts a fifth of its parent
        np.testing.assert_allclose(line(figure.axes[1], label).get_xdata(), left)
        np.testing.assert_allclose(line(figure.axes[1], label).get_ydata(), by_hand)


def test_two_cuts_are_drawn_at_what_they_leave_of_each_replicate():
    table = tickets(levels=2, seeds=2)
    kept = {("l1", 0): 0.5, ("l1", 1): 0.4, ("l2", 0): 0.3, ("l2", 1): 0.1}
    table["density"] = [kept.get(key, 1.0) for key in zip(table["level"], table["seed"], strict=True)]
    axes = cut_errors_figure(errors_around_cuts(table), Style()).axes[0]
    twice = [(0.5 * 0.5 + 0.4 * 0.4) / 2, (0.3 * 0.3 / 0.5 + 0.1 * 0.1 / 0.4) / 2]
    np.testing.assert_allclose(line(axes, "after two cuts in a row").get_xdata(), 100 * np.array(twice))
    assert axes.get_xlim()[1] < 100 * min(twice)


def test_lines_without_an_error_after_the_cut_have_no_panel():
    table = tickets(MANY_LINES[:4], levels=2)
    columns = ["error_after_cut", "error_after_two_cuts"]
    table.loc[table["variant"] == "learning_rate", columns] = np.nan
    assert len(cut_errors_figure(errors_around_cuts(table), Style()).axes) == 3


def test_number_of_seeds_is_told():
    assert "mean of 3 seeds" in tickets_figure(VERDICTS, Style()).axes[0].get_title("left")
    one = TABLE[TABLE["seed"] == 0]
    figure = tickets_figure(verdicts(one, barriers(one)), Style())
    assert "one seed" in figure.axes[0].get_title("left") and not figure.axes[0].collections
