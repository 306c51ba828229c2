import numpy as np
import pandas as pd
import pytest

from tests.report.drawn import legend, line
from tests.report.figure_data import accuracies
from winnow.report.style import Style, save
from winnow.report.transfer import transfer_figure

pytestmark = pytest.mark.filterwarnings("error")

NOTHING = accuracies(("random",))[1]


def table(scores=("el2n", "loss"), sources=("x", "y"), epochs=(0, 4, 8), ceiling=0.1) -> pd.DataFrame:
    """Correlations that rise with the epoch; the ceiling lies a little above, nan if there is none."""
    rows = [
        (source, score, epoch, 3 + place, middle, middle - 0.05, middle + 0.02, *(middle + ceiling,) * 3)
        for place, source in enumerate(sources)
        for score in scores
        for epoch in epochs
        for middle in [0.1 * epoch + 0.01 * place]
    ]
    names = ["source", "score", "epoch", "seeds", "spearman", "low", "high", "ceiling", "ceiling_low", "ceiling_high"]
    return pd.DataFrame(rows, columns=names)


def test_a_panel_for_each_score_with_the_sources_and_their_ceilings():
    figure = transfer_figure(table(), NOTHING, Style())
    assert [axes.get_title() for axes in figure.axes] == ["EL2N", "loss", ""]
    for axes in figure.axes[:2]:
        np.testing.assert_allclose(line(axes, "from y").get_ydata(), [0.01, 0.41, 0.81])
        np.testing.assert_allclose(line(axes, "early's own, 4 against 4 seeds").get_ydata(), [0.11, 0.51, 0.91])
        low, high = axes.get_ylim()
        assert (low < 0, high > 0.93) == (True, True)
    ceilings = [f"early's own, {seeds} against {seeds} seeds" for seeds in (3, 4)]
    assert legend(figure) == ["from x", "from y", *ceilings]
    assert "no method" in figure.axes[2].texts[0].get_text()


def test_subsets_beside_them_in_points():
    methods = ("el2n", "el2n-fromx")
    differences = accuracies((*methods, "random"))[1]
    differences = differences[differences["method"].isin(methods)]
    figure = transfer_figure(table(), differences, Style())
    axes = figure.axes[2]
    for method in methods:
        expected = 100 * differences.loc[differences["method"] == method, "difference"]
        np.testing.assert_allclose(line(axes, method).get_ydata(), expected)
    assert "points" in axes.get_ylabel()
    assert set(methods) < set(legend(figure))


def test_no_correlation_is_an_error():
    with pytest.raises(ValueError, match="no rank correlation"):
        transfer_figure(table().head(0), NOTHING, Style())


@pytest.mark.parametrize("scores", [("el2n",), ("el2n", "loss", "margin", "forgetting", "aum")])
@pytest.mark.parametrize("ceiling", [0.1, np.nan])
@pytest.mark.parametrize("size", [4.0, 20.0])
def test_odd_inputs_draw_without_a_warning(tmp_path, scores, ceiling, size):
    differences = accuracies(("el2n", "el2n-fromx"), keeps=(0.5,), seeds=1)[1]
    for epochs in ((0, 4), (8,)):
        figure = transfer_figure(table(scores, ("x",), epochs, ceiling), differences, Style(size))
        save(figure, tmp_path / "a.png", 50)
