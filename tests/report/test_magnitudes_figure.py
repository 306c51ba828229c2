import numpy as np
import pandas as pd
import pytest

from tests.report.ticket_data import histograms, magnitudes
from winnow.report.magnitudes import magnitudes_figure, with_edges
from winnow.report.style import Style

TABLE = magnitudes(3, 5000)


def histogram(axes, moment):
    return next(patch for patch in axes.patches if patch.get_label() == moment).get_data()


@pytest.mark.parametrize("layer", ["all", "conv.weight"])
def test_every_histogram_is_in_percent_of_its_own_weights(layer):
    figure = magnitudes_figure(histograms(TABLE.sample(frac=1, random_state=0).sort_values("level"), layer), Style())
    assert [axes.get_title() for axes in figure.axes] == [f"l{i}: 20% cut" for i in (1, 2, 3)]
    rows = TABLE[(TABLE["level"] == "l2") & (TABLE["layer"] == layer)]
    for moment in ("before", "after", "retrained"):
        counts = rows.loc[rows["moment"] == moment, "count"].to_numpy(float)
        fractions, edges, _ = histogram(figure.axes[1], moment)
        np.testing.assert_allclose(fractions, 100 * counts / counts.sum())
        assert fractions.sum() == pytest.approx(100)
        np.testing.assert_allclose(edges[1:], rows.loc[rows["moment"] == moment, "high"])


def test_the_hole_at_zero_is_empty_after_the_cut_and_filled_after_retraining():
    axes = magnitudes_figure(histograms(TABLE), Style()).axes[0]
    after, edges, _ = histogram(axes, "after")
    hole = edges[:-1] < 0.5 * edges[:-1][after > 0].min()
    assert histogram(axes, "retrained")[0][hole].sum() > 1
    low = axes.get_xlim()[0]
    assert low < edges[:-1][after > 0].min(), "the hole is within the axis"


def test_the_bin_from_zero_is_as_wide_as_the_next_one():
    bins = pd.DataFrame({"low": [0, 1, 4], "high": [1, 4, 16]})
    drawn = with_edges(bins)
    np.testing.assert_allclose(drawn["left"], [0.25, 1, 4])
    only = with_edges(bins.iloc[:1])
    np.testing.assert_allclose(only[["left", "right"]], [[0.1, 1]])


def test_the_few_survivors_of_a_large_cut_are_seen_and_the_cut_is_told():
    large = TABLE.assign(count=TABLE["count"] * np.where(TABLE["moment"] == "before", 1, 0.001 / 0.8))
    axes = magnitudes_figure(histograms(large), Style()).axes[0]
    assert axes.get_title() == "l1: 99.9% cut"
    for moment in ("after", "retrained"):
        assert histogram(axes, moment)[0].max() > 0.1 * axes.get_ylim()[1]


def test_without_the_weights_before_a_cut_its_fraction_is_not_told():
    figure = magnitudes_figure(histograms(TABLE[(TABLE["moment"] != "before") | (TABLE["level"] == "l2")]), Style())
    assert [axes.get_title() for axes in figure.axes] == ["l1", "l2: 20% cut", "l3"]


def test_of_many_levels_some_are_shown():
    figure = magnitudes_figure(histograms(magnitudes(26, 500)), Style())
    assert len(figure.axes) == 24 and "24 of 26 levels" in figure.get_suptitle()
    assert len(magnitudes_figure(histograms(magnitudes(16, 500)), Style()).axes) == 16
