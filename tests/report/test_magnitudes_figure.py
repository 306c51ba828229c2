import numpy as np
import pandas as pd
import pytest
from ticket_data import magnitudes

from winnow.report.magnitudes import drawn_bins, magnitudes_figure
from winnow.report.style import Style

TABLE = magnitudes(3, 5000)


def histogram(axes, moment):
    return next(patch for patch in axes.patches if patch.get_label() == moment).get_data()


@pytest.mark.parametrize("layer", ["all", "conv.weight"])
def test_histograms_are_in_percent_of_the_weights_before_the_cut(layer):
    figure = magnitudes_figure(TABLE.sample(frac=1, random_state=0).sort_values("level"), Style(), layer)
    assert [axes.get_title() for axes in figure.axes] == ["l1", "l2", "l3"]
    rows = TABLE[(TABLE["level"] == "l2") & (TABLE["layer"] == layer)]
    for moment, total in {"before": 100, "after": 80, "retrained": 80}.items():
        counts = rows.loc[rows["moment"] == moment, "count"].to_numpy(float)
        shares, edges, _ = histogram(figure.axes[1], moment)
        np.testing.assert_allclose(shares, 100 * counts / rows.loc[rows["moment"] == "before", "count"].sum())
        assert shares.sum() == pytest.approx(total, abs=0.1)
        np.testing.assert_allclose(edges[1:], rows.loc[rows["moment"] == moment, "high"])


def test_the_hole_at_zero_is_empty_after_the_cut_and_filled_after_retraining():
    axes = magnitudes_figure(TABLE, Style()).axes[0]
    after, edges, _ = histogram(axes, "after")
    hole = edges[:-1] < 0.5 * edges[:-1][after > 0].min()
    assert histogram(axes, "retrained")[0][hole].sum() > 1
    low = axes.get_xlim()[0]
    assert low < edges[:-1][after > 0].min(), "the hole is within the axis"


def test_the_bin_from_zero_is_as_wide_as_the_next_one():
    bins = pd.DataFrame({"level": "l1", "moment": "before", "low": [0, 1, 4], "high": [1, 4, 16], "count": [2, 2, 4]})
    drawn = drawn_bins(bins)
    np.testing.assert_allclose(drawn["left"], [0.25, 1, 4])
    np.testing.assert_allclose(drawn["share"], [25, 25, 50])
    only = drawn_bins(bins.iloc[:1])
    np.testing.assert_allclose(only[["left", "right"]], [[0.1, 1]])


def test_of_many_levels_twelve_are_shown():
    figure = magnitudes_figure(magnitudes(14, 500), Style())
    assert len(figure.axes) == 12 and "12 of 14 levels" in figure.get_suptitle()
