import math

import numpy as np
import pytest
from ticket_data import spawn
from winnow.report.spawn import spawn_figure

from winnow.report.style import Style


def test_lines_are_means_over_replicates_by_step():
    table = spawn()
    axes = spawn_figure(table.sample(frac=1, random_state=0), 0.005, Style()).axes[0]
    for split in ("train", "test"):
        line = next(line for line in axes.lines if line.get_label() == split)
        by_hand = 100 * table[table["split"] == split].groupby("at")["barrier"].mean()
        np.testing.assert_array_equal(line.get_xdata(), by_hand.index)
        np.testing.assert_allclose(line.get_ydata(), by_hand)
    assert next(line for line in axes.lines if line.get_label() == "epsilon").get_ydata()[0] == pytest.approx(0.5)
    assert axes.get_xscale() == "symlog" and axes.get_ylim()[0] == 0


def test_one_step_of_one_seed():
    axes = spawn_figure(spawn([0], seeds=1), math.nan, Style()).axes[0]
    assert "one seed" in axes.get_title("left") and "epsilon" not in axes.get_title("left")
    assert [line.get_label() for line in axes.lines] == ["test", "train"]
    assert not axes.collections
