import math

import numpy as np
import pandas as pd

from tests.report.drawn import labels, legend, line
from tests.report.ticket_data import curves, perturbations, references
from winnow.report.perturbations import perturbations_figure
from winnow.report.style import Style

NO_REFERENCES = references(perturbations()).iloc[:0]
NAMES = ["start (0 steps)", "early (500 steps)", "late (2,000 steps)"]


def draw(table, given=NO_REFERENCES, epsilon=0.01):
    return perturbations_figure(curves(table, given), epsilon, Style())


def test_one_line_per_rewind_point_by_rising_steps():
    table = perturbations()
    figure = draw(table.sample(frac=1, random_state=0))
    assert legend(figure) == NAMES
    rows = table[(table["rewind"] == "early") & (table["split"] == "test")]
    for axes, quantity in zip(figure.axes, ("barrier", "error"), strict=True):
        by_hand = 100 * rows.groupby("multiple")[quantity].mean()
        np.testing.assert_array_equal(line(axes, NAMES[1]).get_xdata(), [0, 0.5, 1, 2, 4, 8])
        np.testing.assert_allclose(line(axes, NAMES[1]).get_ydata(), by_hand)
        assert any(mark.get_linestyle() == ":" and list(mark.get_xdata()) == [1, 1] for mark in axes.lines)
        assert list(axes.xaxis.get_majorticklocs()) == [0, 0.5, 1, 2, 4, 8]


def test_epsilon_is_a_line_where_it_is_known():
    table = perturbations(multiples=(1, 2))
    known = draw(table, epsilon=0.02).axes[0]
    np.testing.assert_allclose(line(known, "epsilon").get_ydata(), 2)
    unknown = draw(table, epsilon=math.nan).axes[0]
    assert "epsilon" not in labels(unknown) and "epsilon" not in unknown.get_title("left")


def test_several_levels_are_told_apart():
    table = perturbations(rewinds=(("early", 500),))
    both = pd.concat([table, table.assign(level="l9", run="from-l9")])
    figure = draw(both, epsilon=0.01)
    assert legend(figure) == [
        "early (500 steps), l5",
        "early (500 steps), l9",
    ]


def test_a_missing_barrier_leaves_the_error():
    figure = draw(perturbations().assign(barrier=math.nan), epsilon=0.01)
    barrier, error = map(labels, figure.axes)
    assert [text.get_text() for text in figure.axes[0].texts] == ["no barrier"]
    assert set(NAMES).isdisjoint(barrier) and set(NAMES) <= set(error)


def test_the_cut_itself_and_the_unperturbed_error_are_drawn_for_comparison():
    table = perturbations()
    given = references(table).query("run != 'from-late'")
    given.loc[given["run"] == "from-early", ["barrier", "error"]] += 0.01
    figure = draw(table, given.sample(frac=1, random_state=0))
    barrier, error = figure.axes
    for name, more in {NAMES[0]: 0, NAMES[1]: 1}.items():
        cut = line(barrier, f"_{name}, cut")
        assert list(cut.get_xdata()) == [1] and cut.get_markerfacecolor() == "none"
        np.testing.assert_allclose(cut.get_ydata(), 0.3 + more)  # points, of seeds 0 to 2
        np.testing.assert_allclose(line(error, f"_{name}, unperturbed").get_ydata(), 8.1 + more)
    assert not any(label.startswith(f"_{NAMES[2]}") for axes in figure.axes for label in labels(axes))
    assert error.get_ylim()[0] < 8.1 and "cut itself" in barrier.get_title("left")
    alone = draw(table, epsilon=0.01)
    assert "cut" not in alone.axes[0].get_title("left") and "unperturbed" not in alone.axes[1].get_title("left")
