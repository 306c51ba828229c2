import math

import numpy as np
import pandas as pd
import pytest

from tests.report.drawn import labels, legend, line
from tests.report.ticket_data import EPSILON, MANY_LINES, barriers, level_names, pairs, tickets, verdicts
from winnow.analysis.spread import spread
from winnow.analysis.summary import connected_and_matching
from winnow.report.barriers import barrier_matrix_figure, connectivity_figure
from winnow.report.style import Style

TICKETS = tickets(levels=25)
BARRIERS = barriers(TICKETS)
VERDICTS = verdicts(TICKETS, BARRIERS)


def connectivity(verdicts, barriers):
    found = pairs(verdicts, barriers)
    return connectivity_figure(found, connected_and_matching(found), verdicts["epsilon"].max(), Style())


def matrix(barriers, verdicts=VERDICTS):
    """Of the test split of a table of barriers."""
    means = spread(barriers[barriers["split"] == "test"], ["a", "b"], "barrier")
    return barrier_matrix_figure(means, verdicts, Style()).axes[0]


def judged(*rows):
    columns = ["level", "parent", "matching", "barrier_to_parent", "connected_to_parent"]
    same = {"variant": "imp", "rewind": "early", "data": "full", "epsilon": 0.01, "density": 0.5}
    return pd.DataFrame(rows, columns=columns).assign(**same)


def heights(table):
    """One barrier for each pair of a table of verdicts, and none else."""
    rows = table.dropna(subset=["barrier_to_parent"])
    return pd.DataFrame(
        {"a": rows["parent"], "b": rows["level"], "barrier": rows["barrier_to_parent"], "split": "test"}
    )


def test_pairs_are_counted_by_matching_of_both_and_by_connection():
    table = judged(
        ("dense", "", True, np.nan, None),
        ("l1", "dense", True, 0.0, True),
        ("l2", "l1", True, 0.2, False),
        ("l3", "l2", False, 0.0, True),
        ("l4", "l3", False, 0.3, False),
        ("l5", "l4", True, 0.3, False),
    )
    panel = connectivity(table, heights(table)).axes[1]
    places = {text.get_position(): text.get_text() for text in panel.texts}
    assert places == {(0.5, 0.5): "1", (1.5, 0.5): "1", (0.5, 1.5): "1", (1.5, 1.5): "2"}
    assert [label.get_text() for label in panel.get_xticklabels()] == ["connected", "not"]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["both\nmatch", "not\nboth"]


def test_line_and_band_are_of_the_same_level():
    shuffled = BARRIERS.sample(frac=1, random_state=0)
    axes = connectivity(VERDICTS.sample(frac=1, random_state=0), shuffled).axes[0]
    drawn = line(axes, "IMP")
    np.testing.assert_allclose(drawn.get_xdata(), [100 * 0.8**i for i in range(1, 26)])
    np.testing.assert_allclose(drawn.get_ydata(), 100 * VERDICTS["barrier_to_parent"][1:].astype(float))
    vertices = axes.collections[0].get_paths()[0].vertices
    own = BARRIERS[(BARRIERS["a"] == "l19") & (BARRIERS["b"] == "l20") & (BARRIERS["split"] == "test")]
    low, high = np.percentile(100 * own["barrier"], [16, 84])
    at = vertices[np.isclose(vertices[:, 0], 100 * 0.8**20), 1]
    np.testing.assert_allclose([at.min(), at.max()], [low, high])


def test_pairs_of_which_one_does_not_match_are_hollow():
    axes = connectivity(VERDICTS, BARRIERS).axes[0]
    first = VERDICTS["level"][~VERDICTS["matching"]].iloc[0]
    expected = [100 * 0.8**i for i in range(int(first[1:]), 26)]
    np.testing.assert_allclose(line(axes, "_IMP, hollow").get_xdata(), expected)


def test_epsilon_is_a_line_where_it_is_known():
    axes = connectivity(VERDICTS, BARRIERS).axes[0]
    np.testing.assert_allclose(line(axes, "epsilon").get_ydata(), 100 * EPSILON)
    unknown = connectivity(VERDICTS.assign(epsilon=math.nan), BARRIERS).axes[0]
    assert "epsilon" not in labels(unknown) and "epsilon" not in unknown.get_title("left")


def test_lines_apart_get_names_apart():
    table = tickets(MANY_LINES, levels=3)
    between = barriers(table)
    figure = connectivity(verdicts(table, between), between)
    assert len(set(legend(figure))) == len(MANY_LINES)


def test_coinciding_levels_are_moved_apart_and_it_is_said():
    dense = ("dense", "", True, np.nan, None)
    table = judged(
        dense, ("l1", "dense", True, 0.0, True), ("l2", "l1", False, 0.0, True), ("o2", "dense", False, 0.0, True)
    )
    table = table.assign(variant=["dense", "imp", "imp", "one_shot"], density=[1, 0.8, 0.64, 0.64])
    axes = connectivity(table, heights(table)).axes[0]
    np.testing.assert_allclose(line(axes, "IMP").get_xdata(), [80, 64])
    (moved,) = line(axes, "one-shot").get_xdata()
    assert 0.001 < abs(moved / 64 - 1) < 0.02
    assert "moved aside" in axes.get_title("left")
    alone = connectivity(table.iloc[:3], heights(table.iloc[:3])).axes[0]
    assert "moved" not in alone.get_title("left")


def test_matrix_holds_means_in_points_below_the_diagonal():
    given = barriers(tickets(levels=3))
    axes = matrix(given)
    shown = axes.images[0].get_array()
    assert shown.mask.tolist() == [[False, True, True], [False, False, True], [False, False, False]]
    names = level_names(3)
    for row in range(3):
        for column in range(row + 1):
            own = (given["a"] == names[column]) & (given["b"] == names[row + 1]) & (given["split"] == "test")
            assert shown[row, column] == pytest.approx(100 * given.loc[own, "barrier"].mean())
    numbers = {text.get_position(): float(text.get_text()) for text in axes.texts}
    assert len(numbers) == 6
    assert all(value == pytest.approx(shown[row, column], abs=0.05) for (column, row), value in numbers.items())
    assert [label.get_text() for label in axes.get_yticklabels()] == ["l1", "l2", "l3"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["dense", "l1", "l2"]
    assert "hatched" not in axes.get_title("left")


def test_levels_that_do_not_match_have_an_asterisk_in_the_matrix():
    verdicts = pd.DataFrame({"level": ["dense", "l1", "l2", "l3"], "matching": [True, False, None, False]})
    axes = matrix(barriers(tickets(levels=3)), verdicts)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["l1*", "l2", "l3*"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["dense", "l1*", "l2"]
    assert "*: not matching" in axes.get_title("left")
    unknown = matrix(barriers(tickets(levels=3)), verdicts.iloc[:0])
    assert "*" not in unknown.get_title("left")


def test_pairs_that_were_not_computed_are_hatched():
    successive = BARRIERS[BARRIERS["b"].map({f"l{i}": "dense" if i == 1 else f"l{i - 1}" for i in range(1, 26)})
                          == BARRIERS["a"]]  # fmt: skip
    axes = matrix(successive[successive["b"].isin(level_names(4))])
    (hatched,) = axes.collections
    assert hatched.get_hatch() and len(hatched.get_paths()) == 6
    assert "hatched" in axes.get_title("left")


def test_many_levels_have_no_numbers():
    many = matrix(barriers(tickets(levels=32, seeds=1)))
    assert not many.texts and "one seed" in many.get_title("left")


def test_the_spread_of_the_errors_is_not_taken_for_that_of_the_barriers():
    """The table of verdicts has columns low and high of its own."""
    wide = VERDICTS.assign(low=0.0, high=1.0)
    axes, plain = (connectivity(table, BARRIERS).axes[0] for table in (wide, VERDICTS))
    bands = [axes.collections[0].get_paths()[0].vertices for axes in (axes, plain)]
    np.testing.assert_array_equal(*bands)
