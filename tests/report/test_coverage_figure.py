import numpy as np
import pandas as pd
import pytest

from tests.report.drawn import legend, line
from winnow.report.coverage import coverage_figure, strata_figure
from winnow.report.style import Style, save

pytestmark = pytest.mark.filterwarnings("error")


def table(methods=("el2n", "random"), fractions=(0.1, 0.3)) -> pd.DataFrame:
    """The first method covers half of what the second does, and so on."""
    rows = [
        (method, str(fraction), fraction, (fraction + 0.2) / (place + 1), 1.0 + place, fraction, *(10 * [fraction]))
        for place, method in enumerate(methods)
        for fraction in fractions
    ]
    strata = [f"stratum_{number}" for number in range(1, 11)]
    columns = ["method", "keep", "fraction", "covered", "distance_to_random", "smallest_class", *strata]
    return pd.DataFrame(rows, columns=columns).assign(epoch=4, space="features of one network at epoch 4")


def test_a_line_for_each_method_over_the_fraction_kept():
    figure = coverage_figure(table(), Style())
    covered, distance, classes = figure.axes
    np.testing.assert_allclose(line(covered, "el2n").get_xdata(), [10, 30])
    np.testing.assert_allclose(line(covered, "el2n").get_ydata(), [30, 50])
    np.testing.assert_allclose(line(distance, "random").get_ydata(), [2, 2])
    np.testing.assert_allclose(line(classes, "el2n").get_ydata(), [0.1, 0.3])
    assert legend(figure) == ["random", "el2n"]
    assert "features of one network at epoch 4" in covered.get_title("left")


def test_strata_are_those_of_the_smallest_fraction_kept():
    rows = table(fractions=(0.3, 0.1))
    rows.loc[1, "stratum_10"] = 1.0
    figure = strata_figure(rows, Style())
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["el2n", "random"]
    assert [text.get_text() for text in axes.get_xticklabels()][::9] == ["0–10", "90–100"]
    assert [text.get_text() for text in axes.texts] == [*(9 * ["10"]), "100", *(10 * ["10"])]
    assert axes.get_xlabel() == "Percentiles of EL2N, epoch 4 (100: highest)"


@pytest.mark.parametrize("draw", [coverage_figure, strata_figure])
def test_no_subset_is_an_error(draw):
    with pytest.raises(ValueError, match="no subset"):
        draw(table().head(0), Style())


@pytest.mark.parametrize("draw", [coverage_figure, strata_figure])
@pytest.mark.parametrize(
    "methods", [("random",), ("el2n", "random", "k_center", *(f"el2n-window0.{i}" for i in range(9)))]
)
@pytest.mark.parametrize("size", [4.0, 20.0])
def test_odd_inputs_draw_without_a_warning(tmp_path, draw, methods, size):
    for fractions in ((0.5,), (0.0005, 0.01, 0.9)):
        rows = table(methods, fractions)
        save(draw(rows, Style(size)), tmp_path / "a.png", 50)
        rows.loc[0, ["distance_to_random", "stratum_3"]] = np.nan
        save(draw(rows, Style(size)), tmp_path / "a.png", 50)
