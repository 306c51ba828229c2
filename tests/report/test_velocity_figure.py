import numpy as np
import pandas as pd
import pytest

from tests.report.drawn import legend, line
from winnow.report.style import Style, save
from winnow.report.velocity import velocity_figure

pytestmark = pytest.mark.filterwarnings("error")


def bands(steps=((0, 1), (2, 5)), groups=4, count=3) -> pd.DataFrame:
    """Slower from step to step, and faster from group to group."""
    rows = [
        (*step, 100 * (group + 0.5) / groups, (group + 1) / 10 ** (1 + place))
        for place, step in enumerate(steps)
        for group in range(groups)
    ]
    table = pd.DataFrame(rows, columns=["epoch", "next_epoch", "percentile", "mean"])
    return table.assign(low=0.9 * table["mean"], high=1.1 * table["mean"], count=count)


def test_a_line_for_each_step_over_the_percentiles():
    table = bands()
    figure = velocity_figure(table.sample(frac=1, random_state=0), "el2n", Style())
    axes = figure.axes[0]
    for step in ((0, 1), (2, 5)):
        drawn = line(axes, f"epoch {step[0]} to {step[1]}")
        rows = table[table["epoch"] == step[0]]
        np.testing.assert_array_equal(drawn.get_xdata(), rows["percentile"])
        np.testing.assert_array_equal(drawn.get_ydata(), rows["mean"])
    assert legend(figure) == ["epoch 0 to 1", "epoch 2 to 5"]
    assert "EL2N" in axes.get_xlabel()
    assert "mean of 3 seeds" in axes.get_title("left")


def test_no_velocity_is_an_error():
    with pytest.raises(ValueError, match="no velocity"):
        velocity_figure(bands().head(0), "el2n", Style())


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("groups", [1, 4])
@pytest.mark.parametrize("size", [4.0, 20.0])
def test_odd_inputs_draw_without_a_warning(tmp_path, groups, count, size):
    save(velocity_figure(bands(groups=groups, count=count), "forgetting", Style(size)), tmp_path / "a.png", 50)
