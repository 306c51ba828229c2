import numpy as np
import pytest

from tests.report.drawn import legend, line
from tests.report.figure_data import history
from winnow.analysis.curves import training_curves
from winnow.report.history import history_figure
from winnow.report.style import Style, save

pytestmark = pytest.mark.filterwarnings("error")


def test_lines_are_means_over_seeds():
    table = history()
    loss, accuracy = history_figure(training_curves(table), Style()).axes
    for axes, quantity, scale in ((loss, "loss", 1), (accuracy, "accuracy", 100)):
        for part in ("train", "validation"):
            drawn = line(axes, f"{part} images")
            by_hand = scale * table[f"{part}_{quantity}"].to_numpy().reshape(3, 10).mean(axis=0)
            np.testing.assert_array_equal(drawn.get_xdata(), range(1, 11))
            np.testing.assert_allclose(drawn.get_ydata(), by_hand)
    assert "mean of 3 seeds" in loss.get_title("left")


def test_falls_of_the_learning_rate_are_marked():
    for axes in history_figure(training_curves(history()), Style()).axes:
        marked = [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == ":"]
        assert marked == [6, 8]
    constant = history().assign(learning_rate=0.1)
    assert not any(
        line.get_linestyle() == ":" for line in history_figure(training_curves(constant), Style()).axes[0].lines
    )


def test_without_validation_images_there_is_one_line():
    figure = history_figure(training_curves(history(seeds=1)), Style())
    assert legend(figure) == ["train images", "learning rate falls"]


def test_missing_values_are_left_out_of_the_mean():
    table = history()
    table.loc[(table["seed"] == 0) & (table["epoch"] == 1), "train_loss"] = np.nan
    drawn = history_figure(training_curves(table), Style()).axes[0].lines[0].get_ydata()[0]
    others = table[(table["seed"] > 0) & (table["epoch"] == 1)]["train_loss"]
    assert drawn == pytest.approx(others.mean())


@pytest.mark.parametrize(("seeds", "epochs"), [(3, 10), (1, 10), (3, 1), (1, 1), (2, 200)])
@pytest.mark.parametrize("size", [4.0, 20.0])
def test_odd_inputs_draw_without_a_warning(tmp_path, seeds, epochs, size):
    save(history_figure(training_curves(history(seeds, epochs)), Style(size)), tmp_path / "a.png", 50)
