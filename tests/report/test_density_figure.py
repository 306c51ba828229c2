import numpy as np
import pytest

from tests.report.ticket_data import densities, of_levels
from winnow.report.density import density_figure
from winnow.report.style import Style


def draw(table):
    return density_figure(table, of_levels(table), Style())


def test_cells_are_percent_left_by_layer_and_level():
    table = densities(3, 4)
    axes = draw(table).axes[0]
    expected = 100 * table["density"].to_numpy().reshape(4, 4).T  # the table goes level by level
    np.testing.assert_allclose(axes.images[0].get_array(), expected)
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        "dense (100%)",
        "l1 (80%)",
        "l2 (64%)",
        "l3 (51%)",
    ]
    assert axes.get_yticklabels()[0].get_text() == "0.stages.0.blocks.0.conv1.weight (432)"
    assert "mean over seeds" in axes.get_title("left")
    for text in axes.texts:
        column, row = text.get_position()
        assert float(text.get_text()) == pytest.approx(expected[row, column], abs=0.5)


def test_a_layer_cut_away_is_drawn_and_a_missing_one_hatched():
    table = densities(2, 3)
    table.loc[table["level"] == "l2", "density"] = [0.0, np.nan, 0.001]
    axes = draw(table).axes[0]
    assert [text.get_text() for text in axes.texts if text.get_position()[0] == 2] == ["0", "0.1"]
    (hatched,) = axes.collections
    assert hatched.get_hatch() and len(hatched.get_paths()) == 1
    assert "hatched" in axes.get_title("left")


@pytest.mark.parametrize(("size", "name"), [(432, "432"), (36_864, "36.9k"), (2_359_296, "2.36M")])
def test_sizes_are_short(size, name):
    table = densities(1, 1).assign(size=size, layer="conv")
    assert draw(table).axes[0].get_yticklabels()[0].get_text() == f"conv ({name})"
