import math

import numpy as np
import pytest

from tests.report.drawn import labels, line
from tests.report.ticket_data import children, children_on_subsets
from winnow.analysis.curves import subset_curves
from winnow.analysis.spread import spread
from winnow.report.children import children_figure, children_subsets_figure
from winnow.report.style import Style


def panel(table, epsilon):
    return children_figure(table, spread(table, ["split", "at"], "barrier"), epsilon, Style()).axes[0]


def test_lines_are_means_over_replicates_by_step():
    table = children()
    axes = panel(table.sample(frac=1, random_state=0), 0.005)
    for split in ("train", "test"):
        drawn = line(axes, f"{split} images")
        by_hand = 100 * table[table["split"] == split].groupby("at")["barrier"].mean()
        np.testing.assert_array_equal(drawn.get_xdata(), by_hand.index)
        np.testing.assert_allclose(drawn.get_ydata(), by_hand)
    assert line(axes, "epsilon").get_ydata()[0] == pytest.approx(0.5)
    assert axes.get_xscale() == "symlog" and axes.get_ylim()[0] == 0


def test_single_seeds_are_dots():
    table = children([0, 100])
    dots = panel(table, math.nan).collections[0]
    expected = table[["at", "barrier"]].to_numpy() * [1, 100]
    np.testing.assert_allclose(dots.get_offsets(), expected)


def test_one_step_of_one_seed():
    axes = panel(children([0], seeds=1), math.nan)
    assert "one seed" in axes.get_title("left") and "epsilon" not in axes.get_title("left")
    assert labels(axes) == ["test images", "train images"]
    assert not axes.collections


def test_of_subsets_barriers_and_connected_images_are_means_over_replicates_by_step():
    table = children_on_subsets()
    figure = children_subsets_figure(subset_curves(table.sample(frac=1, random_state=0)), Style())
    for axes, column in zip(figure.axes, ("barrier", "connected"), strict=True):
        assert labels(axes) == ["lowest scores", "random", "highest scores"]
        for subset, name in zip(("lowest", "random", "highest"), labels(axes), strict=True):
            by_hand = 100 * table[table["subset"] == subset].groupby("at")[column].mean()
            np.testing.assert_array_equal(line(axes, name).get_xdata(), by_hand.index)
            np.testing.assert_allclose(line(axes, name).get_ydata(), by_hand)
    assert figure.axes[0].get_ylim()[0] == 0 and figure.axes[1].get_ylim()[1] == 100
