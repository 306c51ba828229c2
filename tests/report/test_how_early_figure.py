import numpy as np
import pandas as pd
import pytest

from tests.report.drawn import labels, legend, line
from winnow.report.how_early import how_early_figure, how_many_figure
from winnow.report.style import Style, save

pytestmark = pytest.mark.filterwarnings("error")


def table(count: int = 5, groups: int = 1, keeps: tuple[float, ...] = (0.3, 0.5)) -> pd.DataFrame:
    """EL2N at four epochs, two of them also of one network; GraNd at one; and what no epoch changes."""
    places = [("el2n", epoch, 10) for epoch in (0, 1, 4, 16)] + [("el2n", epoch, 1) for epoch in (0, 4)]
    places += [("grand", 0, 10), ("random", -1, 0), ("input_norm", -1, 0)]
    rows = [(*place, str(keep), keep, 0.5 + keep / 2 + i / 50) for keep in keeps for i, place in enumerate(places)]
    rows.append(("full", -1, 0, "1.0", 1.0, 0.98))
    found = pd.DataFrame(rows, columns=["score", "epoch", "seeds", "keep", "fraction", "mean"])
    return found.assign(low=found["mean"] - 0.01, high=found["mean"] + 0.02, count=count, groups=groups)


def test_a_line_for_each_score_and_number_of_networks_in_a_panel_for_each_keep():
    figure = how_early_figure(table(), Style())
    assert [axes.get_title("right") for axes in figure.axes] == [f"{keep}% of the images kept" for keep in (30, 50)]
    for axes, keep in zip(figure.axes, (0.3, 0.5), strict=True):
        ten, one = line(axes, "EL2N, mean of 10 networks"), line(axes, "EL2N, mean of 1 network")
        np.testing.assert_allclose(ten.get_xdata(), [0, 1, 4, 16])
        np.testing.assert_allclose(ten.get_ydata(), 100 * (0.5 + keep / 2 + np.arange(4) / 50))
        np.testing.assert_allclose(one.get_xdata(), [0, 4])
        assert "GraNd, mean of 10 networks" not in labels(axes)  # one place is no line
        assert axes.get_ylabel() == ("Test accuracy (%)" if keep == 0.3 else "")


def test_random_and_all_images_are_level_lines_with_bands():
    for axes, keep in zip(how_early_figure(table(), Style()).axes, (0.3, 0.5), strict=True):
        np.testing.assert_allclose(line(axes, "random").get_ydata(), 100 * (0.5 + keep / 2 + 7 / 50))
        np.testing.assert_allclose(line(axes, "all images").get_ydata(), 98)
        bands = [patch.get_bbox() for patch in axes.patches]
        assert any(band.y0 == pytest.approx(97) and band.y1 == pytest.approx(100) for band in bands)
        assert len(bands) == 3
    assert line(axes, "all images").get_color() == "#000000"


def test_seeds_averaged_make_lines_by_epoch():
    axes = how_many_figure(table(), Style()).axes[0]
    first = line(axes, "EL2N, epoch 4")
    np.testing.assert_allclose(first.get_xdata(), [1, 10])
    np.testing.assert_allclose(first.get_ydata(), 100 * (0.65 + np.array([5, 2]) / 50))
    assert legend(how_many_figure(table(), Style()))[:2] == ["EL2N, epoch 0", "EL2N, epoch 4"]


def test_it_is_told_what_the_band_holds():
    def told(figure):
        return figure.get_suptitle()

    assert "one group of scoring networks: the spread is that of retraining" in told(how_many_figure(table(), Style()))
    assert "mean of 5 retrained networks; band" in told(how_early_figure(table(), Style()))
    assert "of retraining and of scores" in told(how_many_figure(table(groups=3), Style()))


@pytest.mark.parametrize("case", [{"count": 1}, {"keeps": (0.1, 0.2, 0.3, 0.5, 0.7)}, {"keeps": (0.5,)}])
@pytest.mark.parametrize("draw", [how_early_figure, how_many_figure])
def test_odd_inputs_draw_without_a_warning(tmp_path, draw, case):
    save(draw(table(**case), Style(20.0)), tmp_path / "a.png", 50)


def test_without_two_places_there_is_nothing_to_draw():
    with pytest.raises(ValueError, match="epoch alone"):
        how_early_figure(table()[lambda rows: rows["epoch"] < 1], Style())
    with pytest.raises(ValueError, match="seeds alone"):
        how_many_figure(table()[lambda rows: rows["seeds"] != 1], Style())
