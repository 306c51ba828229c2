import numpy as np
import pytest
from ticket_data import lines

from winnow.report.lines import lines_figure
from winnow.report.style import Style


def test_lines_are_means_over_replicates():
    table = lines(3)
    figure = lines_figure(table.sample(frac=1, random_state=0).sort_values("a"), Style())
    assert [axes.get_title() for axes in figure.axes] == ["dense to l1", "l1 to l2", "l2 to l3"]
    for split in ("train", "test"):
        drawn = next(line for line in figure.axes[1].lines if line.get_label() == split)
        rows = table[(table["a"] == "l1") & (table["split"] == split)]
        by_hand = [100 * rows.loc[rows["alpha"] == alpha, "error"].mean() for alpha in np.linspace(0, 1, 11).round(6)]
        np.testing.assert_allclose(drawn.get_xdata(), np.linspace(0, 1, 11))
        np.testing.assert_allclose(drawn.get_ydata(), by_hand)
    assert "3 seeds" in figure.get_suptitle()


def test_of_many_pairs_twelve_are_shown_from_first_to_last():
    figure = lines_figure(lines(25, seeds=1, points=3), Style())
    titles = [axes.get_title() for axes in figure.axes]
    assert len(titles) == 12 and titles[0] == "dense to l1" and titles[-1] == "l24 to l25"
    assert figure.get_suptitle() == "one seed each: no band; 12 of 25 pairs"


@pytest.mark.parametrize("pairs", [1, 5])
def test_lowest_panel_of_every_column_has_its_numbers(pairs):
    axes_of_all = lines_figure(lines(pairs), Style()).axes
    assert len(axes_of_all) == pairs
    for axes in axes_of_all[-min(pairs, 4) :]:
        assert axes.get_xlabel() and axes.xaxis.get_tick_params()["labelbottom"]
