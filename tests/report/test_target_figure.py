import numpy as np
import pandas as pd
import pytest

from tests.report.drawn import legend, line
from winnow.report.style import Style
from winnow.report.target import target_figure

pytestmark = pytest.mark.filterwarnings("error")


def bands(targets=("mnist",), count=3) -> pd.DataFrame:
    rows = [
        (target, method, fraction, level + fraction / 10)
        for target in targets
        for method, level, fractions in (
            ("label_mapping", 0.8, (0.5, 0.1)),
            ("random", 0.7, (0.5, 0.1)),
            ("full", 0.85, (1.0,)),
            ("fresh", 0.4, (0.0,)),
        )
        for fraction in fractions
    ]
    table = pd.DataFrame(rows, columns=["target", "method", "fraction", "mean"])
    return table.assign(low=table["mean"] - 0.01, high=table["mean"] + 0.01, count=count)


@pytest.mark.parametrize("count", [1, 3])
def test_a_line_for_each_method_and_levels_for_all_and_none_of_the_pool(count):
    figure = target_figure(bands(count=count), Style())
    axes = figure.axes[0]
    assert axes.get_title() == "mnist"
    for method, level in (("label_mapping", 80), ("random", 70)):
        drawn = line(axes, method)
        np.testing.assert_allclose(drawn.get_xdata(), [10, 50])
        np.testing.assert_allclose(drawn.get_ydata(), [level + 1, level + 5])
    np.testing.assert_allclose(line(axes, "all of the pool").get_ydata(), [95, 95])
    np.testing.assert_allclose(line(axes, "none of the pool").get_ydata(), [40, 40])
    assert legend(figure) == ["label_mapping", "random", "all of the pool", "none of the pool"]


def test_a_panel_for_each_target_up_to_nine():
    assert [axes.get_title() for axes in target_figure(bands(("b", "a")), Style()).axes] == ["b", "a"]
    many = target_figure(bands(tuple(f"t{i}" for i in range(12))), Style())
    assert len(many.axes) == 9
    with pytest.raises(ValueError, match="no target"):
        target_figure(bands().head(0), Style())
