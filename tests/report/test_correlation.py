import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from tests.report.drawn import legend, line
from tests.report.figure_data import correlations, reliability
from winnow.analysis.reliability import correlation_table
from winnow.report.correlation import column_title, correlation_figure, in_order, reliability_figure
from winnow.report.style import Style, save

pytestmark = pytest.mark.filterwarnings("error")

FEW = [("el2n", 0), ("el2n", 10), ("grand", 10), ("random", -1)]
MANY = [(score, epoch) for score in ("el2n", "grand", "loss", "margin", "forgetting") for epoch in range(5)]


def test_scores_stand_in_order_with_titles():
    names = [("random", -1), ("el2n", 10), ("el2n", 2), ("el2n", 10), ("input_norm", -1)]
    found = in_order(names)
    assert found == [("el2n", 2), ("el2n", 10), ("random", -1), ("input_norm", -1)]
    titles = [column_title(*name) for name in found]
    assert titles == ["EL2N, epoch 2", "EL2N, epoch 10", "random", "input norm"]


def test_the_matrix_holds_the_correlation_of_each_pair_in_order():
    values = np.random.default_rng(0).normal(size=(50, 3)) @ np.random.default_rng(1).normal(size=(3, 3))
    names = ["random_mean", "el2n_epoch10_mean", "el2n_epoch2_mean"]
    table = correlation_table(pd.DataFrame(values, columns=names))
    axes = correlation_figure(table.sample(frac=1, random_state=0), Style()).axes[0]
    titles = ["EL2N, epoch 2", "EL2N, epoch 10", "random"]
    assert [label.get_text() for label in axes.get_xticklabels()] == titles
    assert [label.get_text() for label in axes.get_yticklabels()] == titles
    np.testing.assert_allclose(axes.images[0].get_array(), spearmanr(values[:, ::-1]).statistic)


def test_cells_hold_their_numbers_where_there_are_few():
    axes = correlation_figure(correlations(FEW), Style()).axes[0]
    matrix = axes.images[0].get_array()
    drawn = {text.get_position(): float(text.get_text().replace("−", "-")) for text in axes.texts}
    assert len(drawn) == 16
    for (column, row), value in drawn.items():
        assert value == pytest.approx(matrix[row, column], abs=0.005)
    assert len(correlation_figure(correlations(MANY), Style()).axes[0].texts) == 0


def test_a_constant_score_has_no_colour_and_no_number():
    table = correlations(FEW)
    table.loc[(table["score_a"] == "grand") | (table["score_b"] == "grand"), "spearman"] = np.nan
    figure = correlation_figure(table, Style())
    shown = figure.axes[0].images[0].get_array()
    assert shown.mask[2].all() and shown.mask[:, 2].all() and shown.mask.sum() == 7
    assert len(figure.axes[0].texts) == 9
    assert "constant" in figure.axes[0].get_title("left")


def test_colours_span_what_is_needed():
    limits = correlation_figure(correlations(FEW), Style()).axes[0].images[0].get_clim()
    assert limits == pytest.approx((-0.2, 1))
    negative = correlations(FEW).assign(spearman=-1.0)
    assert correlation_figure(negative, Style()).axes[0].images[0].get_clim() == (-1, 1)


@pytest.mark.parametrize("names", [FEW, MANY, FEW[:2]])
@pytest.mark.parametrize("size", [4.0, 20.0])
def test_correlations_draw_without_a_warning(tmp_path, names, size):
    save(correlation_figure(correlations(names), Style(size)), tmp_path / "a.png", 50)


def test_reliability_lines_are_the_table():
    table = reliability().sample(frac=1, random_state=0)  # in any order
    figure = reliability_figure(table, Style())
    assert sorted(axes.get_title() for axes in figure.axes) == ["EL2N", "GraNd", "random"]
    el2n = next(axes for axes in figure.axes if axes.get_title() == "EL2N")
    for epoch in (0, 10):
        drawn = line(el2n, f"epoch {epoch}")
        rows = table[(table["score"] == "el2n") & (table["epoch"] == epoch)].sort_values("seeds")
        np.testing.assert_array_equal(drawn.get_xdata(), [1, 2, 3, 4, 5])
        np.testing.assert_array_equal(drawn.get_ydata(), rows["spearman"])
    assert legend(figure) == ["epoch 0", "epoch 10", "no epoch"]


@pytest.mark.parametrize("seeds", [[1], [1, 2], range(1, 30)])
@pytest.mark.parametrize("size", [4.0, 20.0])
def test_reliability_draws_without_a_warning(tmp_path, seeds, size):
    save(reliability_figure(reliability(seeds), Style(size)), tmp_path / "a.png", 50)
