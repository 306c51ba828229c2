import math

import numpy as np
import pandas as pd
from ticket_data import perturbations, references

from winnow.report.perturbations import perturbations_figure
from winnow.report.style import Style

NO_REFERENCES = references(perturbations()).iloc[:0]
NAMES = ["start (0 steps)", "early (500 steps)", "late (2,000 steps)"]


def drawn(axes, label):
    return next(line for line in axes.lines if line.get_label() == label)


def test_one_line_per_rewind_point_by_rising_steps():
    table = perturbations()
    figure = perturbations_figure(table.sample(frac=1, random_state=0), NO_REFERENCES, 0.005, Style(), "train")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == NAMES
    rows = table[(table["rewind"] == "early") & (table["split"] == "train")]
    for axes, quantity in zip(figure.axes, ("barrier", "error"), strict=True):
        by_hand = 100 * rows.groupby("multiple")[quantity].mean()
        np.testing.assert_array_equal(drawn(axes, NAMES[1]).get_xdata(), [0, 0.5, 1, 2, 4, 8])
        np.testing.assert_allclose(drawn(axes, NAMES[1]).get_ydata(), by_hand)
        assert any(line.get_linestyle() == ":" and list(line.get_xdata()) == [1, 1] for line in axes.lines)
        assert list(axes.xaxis.get_majorticklocs()) == [0, 0.5, 1, 2, 4, 8]


def test_epsilon_is_a_line_where_it_is_known():
    table = perturbations(multiples=(1, 2))
    known = perturbations_figure(table, NO_REFERENCES, 0.02, Style()).axes[0]
    np.testing.assert_allclose(drawn(known, "epsilon").get_ydata(), 2)
    unknown = perturbations_figure(table, NO_REFERENCES, math.nan, Style()).axes[0]
    assert "epsilon" not in [line.get_label() for line in unknown.lines] and "epsilon" not in unknown.get_title("left")


def test_several_levels_are_told_apart():
    table = perturbations(rewinds=(("early", 500),))
    both = pd.concat([table, table.assign(level="l9")])
    figure = perturbations_figure(both, NO_REFERENCES, 0.01, Style())
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "early (500 steps), l5",
        "early (500 steps), l9",
    ]


def test_a_missing_barrier_leaves_the_error():
    figure = perturbations_figure(perturbations().assign(barrier=math.nan), NO_REFERENCES, 0.01, Style())
    labels = [[line.get_label() for line in axes.lines] for axes in figure.axes]
    assert [text.get_text() for text in figure.axes[0].texts] == ["no barrier"]
    assert set(NAMES).isdisjoint(labels[0]) and set(NAMES) <= set(labels[1])


def test_the_cut_itself_and_the_unperturbed_error_are_drawn_for_comparison():
    table = perturbations()
    given = references(table).query("run != 'from-late'")
    given.loc[given["run"] == "from-early", ["barrier", "error"]] += 0.01
    figure = perturbations_figure(table, given.sample(frac=1, random_state=0), 0.01, Style())
    barrier, error = figure.axes
    for name, more in {NAMES[0]: 0, NAMES[1]: 1}.items():
        cut = drawn(barrier, f"_{name}, cut")
        assert list(cut.get_xdata()) == [1] and cut.get_markerfacecolor() == "none"
        np.testing.assert_allclose(cut.get_ydata(), 0.3 + more)  # points, of seeds 0 to 2
        np.testing.assert_allclose(drawn(error, f"_{name}, unperturbed").get_ydata(), 8.1 + more)
    assert not any(line.get_label().startswith(f"_{NAMES[2]}") for axes in figure.axes for line in axes.lines)
    assert error.get_ylim()[0] < 8.1 and "cut itself" in barrier.get_title("left")
    alone = perturbations_figure(table, NO_REFERENCES, 0.01, Style())
    assert "cut" not in alone.axes[0].get_title("left") and "unperturbed" not in alone.axes[1].get_title("left")
