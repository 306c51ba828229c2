import math

import numpy as np
import pandas as pd
import pytest
from ticket_data import EPSILON, MANY_LINES, barriers, level_names, tickets, verdicts

from winnow.report.barriers import barrier_matrix_figure, connectivity_counts, connectivity_figure
from winnow.report.style import Style

TICKETS = tickets(levels=25)
BARRIERS = barriers(TICKETS)
VERDICTS = verdicts(TICKETS, BARRIERS)


def drawn(axes, label):
    return next(line for line in axes.lines if line.get_label() == label)


def judged(*rows):
    columns = ["level", "parent", "matching", "barrier_to_parent", "connected_to_parent"]
    same = {"variant": "imp", "rewind": "early", "data": "full", "epsilon": 0.01, "left": 0.5}
    return pd.DataFrame(rows, columns=columns).assign(**same)


def test_pairs_are_counted_by_matching_of_both_and_by_connection():
    table = judged(
        ("dense", "", True, np.nan, None),
        ("l1", "dense", True, 0.0, True),
        ("l2", "l1", True, 0.2, False),
        ("l3", "l2", False, 0.0, True),
        ("l4", "l3", False, 0.3, False),
        ("l5", "l4", True, 0.3, False),
    )
    np.testing.assert_array_equal(connectivity_counts(table), [[1, 1], [1, 2]])
    panel = connectivity_figure(table, BARRIERS.iloc[:0], Style()).axes[1]
    assert [text.get_text() for text in panel.texts] == ["1", "1", "1", "2"]
    np.testing.assert_array_equal(connectivity_counts(table.iloc[1:]), [[1, 1], [1, 2]])  # the dense one matches itself
    with pytest.raises(ValueError, match="'l2'"):
        connectivity_counts(table[table["level"] != "l2"])
    for column in ("matching", "connected_to_parent"):
        with pytest.raises(ValueError, match="'l3'"):
            connectivity_counts(table.assign(**{column: table[column].where(table["level"] != "l3", None)}))


def test_line_and_band_are_of_the_same_level():
    # in any order, and pairs given from either end
    turned = BARRIERS.rename(columns={"a": "b", "b": "a"}).sample(frac=1, random_state=0)
    axes = connectivity_figure(VERDICTS.sample(frac=1, random_state=0), turned, Style()).axes[0]
    line = drawn(axes, "IMP")
    np.testing.assert_allclose(line.get_xdata(), [100 * 0.8**i for i in range(1, 26)])
    np.testing.assert_allclose(line.get_ydata(), 100 * VERDICTS["barrier_to_parent"][1:].astype(float))
    vertices = axes.collections[0].get_paths()[0].vertices
    own = BARRIERS[(BARRIERS["a"] == "l19") & (BARRIERS["b"] == "l20") & (BARRIERS["split"] == "test")]
    low, high = np.percentile(100 * own["barrier"], [16, 84])
    at = vertices[np.isclose(vertices[:, 0], 100 * 0.8**20), 1]
    np.testing.assert_allclose([at.min(), at.max()], [low, high])


def test_pairs_of_which_one_does_not_match_are_hollow():
    axes = connectivity_figure(VERDICTS, BARRIERS, Style()).axes[0]
    first = VERDICTS["level"][~VERDICTS["matching"]].iloc[0]
    expected = [100 * 0.8**i for i in range(int(first[1:]), 26)]
    np.testing.assert_allclose(drawn(axes, "_IMP, hollow").get_xdata(), expected)


def test_epsilon_is_a_line_where_it_is_known():
    axes = connectivity_figure(VERDICTS, BARRIERS, Style()).axes[0]
    np.testing.assert_allclose(drawn(axes, "epsilon").get_ydata(), 100 * EPSILON)
    unknown = connectivity_figure(VERDICTS.assign(epsilon=math.nan), BARRIERS, Style()).axes[0]
    assert "epsilon" not in [line.get_label() for line in unknown.lines] and "epsilon" not in unknown.get_title("left")


def test_lines_apart_get_names_apart():
    table = tickets(MANY_LINES, levels=3)
    pairs = barriers(table)
    figure = connectivity_figure(verdicts(table, pairs), pairs, Style())
    assert len({text.get_text() for text in figure.legends[0].get_texts()}) == len(MANY_LINES)


def test_coinciding_levels_are_moved_apart_and_it_is_said():
    table = judged(("l1", "dense", True, 0.0, True), ("l2", "l1", False, 0.0, True), ("o2", "dense", False, 0.0, True))
    table = table.assign(variant=["imp", "imp", "one_shot"], left=[0.8, 0.64, 0.64])
    axes = connectivity_figure(table, BARRIERS.iloc[:0], Style()).axes[0]
    np.testing.assert_allclose(drawn(axes, "IMP").get_xdata(), [80, 64])
    (moved,) = drawn(axes, "one-shot").get_xdata()
    assert 0.001 < abs(moved / 64 - 1) < 0.02
    assert "moved aside" in axes.get_title("left")
    alone = connectivity_figure(table.iloc[:2], BARRIERS.iloc[:0], Style()).axes[0]
    assert "moved" not in alone.get_title("left")


@pytest.mark.parametrize("order", ["as given", "turned"])
def test_matrix_holds_means_in_points_below_the_diagonal(order):
    pairs = barriers(tickets(levels=3))
    given = pairs if order == "as given" else pairs.rename(columns={"a": "b", "b": "a"})
    axes = barrier_matrix_figure(given, level_names(3), VERDICTS, Style(), "train").axes[0]
    shown = axes.images[0].get_array()
    assert shown.mask.tolist() == [[False, True, True], [False, False, True], [False, False, False]]
    names = level_names(3)
    for row in range(3):
        for column in range(row + 1):
            own = (pairs["a"] == names[column]) & (pairs["b"] == names[row + 1]) & (pairs["split"] == "train")
            assert shown[row, column] == pytest.approx(100 * pairs.loc[own, "barrier"].mean())
    numbers = {text.get_position(): float(text.get_text()) for text in axes.texts}
    assert len(numbers) == 6
    assert all(value == pytest.approx(shown[row, column], abs=0.05) for (column, row), value in numbers.items())
    assert [label.get_text() for label in axes.get_yticklabels()] == ["l1", "l2", "l3"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["dense", "l1", "l2"]
    assert "hatched" not in axes.get_title("left")


def test_levels_that_do_not_match_have_an_asterisk_in_the_matrix():
    verdicts = pd.DataFrame({"level": ["dense", "l1", "l2", "l3"], "matching": [True, False, None, False]})
    axes = barrier_matrix_figure(barriers(tickets(levels=3)), level_names(3), verdicts, Style()).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["l1*", "l2", "l3*"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["dense", "l1*", "l2"]
    assert "*: not matching" in axes.get_title("left")
    unknown = barrier_matrix_figure(barriers(tickets(levels=3)), level_names(3), verdicts.iloc[:0], Style()).axes[0]
    assert "*" not in unknown.get_title("left")


def test_pairs_that_were_not_computed_are_hatched():
    successive = BARRIERS[BARRIERS["b"].map({f"l{i}": "dense" if i == 1 else f"l{i - 1}" for i in range(1, 26)})
                          == BARRIERS["a"]]  # fmt: skip
    axes = barrier_matrix_figure(successive, level_names(4), VERDICTS, Style()).axes[0]
    assert len(axes.patches) == 6 and all(patch.get_hatch() for patch in axes.patches)
    assert "hatched" in axes.get_title("left")


def test_levels_without_a_barrier_are_left_out_and_many_have_no_numbers():
    axes = barrier_matrix_figure(barriers(tickets(levels=3)), ["x", *level_names(3)], VERDICTS, Style()).axes[0]
    assert axes.images[0].get_array().shape == (3, 3)
    many = barrier_matrix_figure(barriers(tickets(levels=32, seeds=1)), level_names(32), VERDICTS, Style()).axes[0]
    assert not many.texts and "one seed" in many.get_title("left")


def test_the_spread_of_the_errors_is_not_taken_for_that_of_the_barriers():
    """The table of verdicts has columns low and high of its own."""
    wide = VERDICTS.assign(low=0.0, high=1.0)
    axes, plain = (connectivity_figure(table, BARRIERS, Style()).axes[0] for table in (wide, VERDICTS))
    bands = [axes.collections[0].get_paths()[0].vertices for axes in (axes, plain)]
    np.testing.assert_array_equal(*bands)
