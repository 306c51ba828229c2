import numpy as np
import pandas as pd
import pytest
from figure_data import correlations, reliability
from scipy.stats import spearmanr
from winnow.report.columns import ScoreColumn, score_columns

from winnow.report.correlation import correlation_figure, correlation_matrix, reliability_figure
from winnow.report.style import Style, save

pytestmark = pytest.mark.filterwarnings("error")

FEW = [("el2n", 0), ("el2n", 10), ("grand", 10), ("random", -1)]
MANY = [(score, epoch) for score in ("el2n", "grand", "loss", "margin", "forgetting") for epoch in range(5)]


def test_score_columns_are_found_in_order():
    names = ["id", "random_mean", "el2n_epoch10_mean", "el2n_epoch10_stderr", "el2n_epoch2_mean", "input_norm_mean"]
    found = score_columns(names)
    assert found == [("el2n", 2), ("el2n", 10), ("random", -1), ("input_norm", -1)]
    assert [column.mean for column in found] == [
        "el2n_epoch2_mean",
        "el2n_epoch10_mean",
        "random_mean",
        "input_norm_mean",
    ]
    assert [column.title for column in found] == ["EL2N, epoch 2", "EL2N, epoch 10", "random", "input norm"]


@pytest.mark.parametrize("given", ["upper triangle", "both orders", "with itself"])
def test_matrix_is_the_same_however_the_pairs_are_given(given):
    values = np.random.default_rng(0).normal(size=(50, 4)) @ np.random.default_rng(1).normal(size=(4, 4))
    expected = spearmanr(values).statistic
    keep = {"upper triangle": np.less, "both orders": np.not_equal, "with itself": np.less_equal}[given]
    rows = [(*FEW[i], *FEW[j], expected[i, j]) for i in range(4) for j in range(4) if keep(i, j)]
    table = pd.DataFrame(rows, columns=["score_a", "epoch_a", "score_b", "epoch_b", "spearman"])
    columns, matrix = correlation_matrix(table)
    assert columns == [ScoreColumn(*name) for name in FEW]
    np.testing.assert_allclose(matrix, expected)


def test_cells_hold_their_numbers_where_there_are_few():
    figure = correlation_figure(correlations(FEW), Style())
    _, matrix = correlation_matrix(correlations(FEW))
    drawn = {text.get_position(): float(text.get_text().replace("−", "-")) for text in figure.axes[0].texts}
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
        drawn = next(line for line in el2n.lines if line.get_label() == f"EL2N, epoch {epoch}")
        rows = table[(table["score"] == "el2n") & (table["epoch"] == epoch)].sort_values("seeds")
        np.testing.assert_array_equal(drawn.get_xdata(), [1, 2, 3, 4, 5])
        np.testing.assert_array_equal(drawn.get_ydata(), rows["spearman"])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["epoch 0", "epoch 10", "no epoch"]


@pytest.mark.parametrize("seeds", [[1], [1, 2], range(1, 30)])
@pytest.mark.parametrize("size", [4.0, 20.0])
def test_reliability_draws_without_a_warning(tmp_path, seeds, size):
    save(reliability_figure(reliability(seeds), Style(size), band="a range"), tmp_path / "a.png", 50)
