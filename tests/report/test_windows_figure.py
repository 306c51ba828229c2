import numpy as np
import pandas as pd
import pytest

from tests.report.drawn import legend, line
from winnow.report.style import Style, save
from winnow.report.windows import windows_figure

pytestmark = pytest.mark.filterwarnings("error")

IMAGES = 1000


def tables(keeps=(0.4,), starts=(0.0, 0.3, 0.55), count=3) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The windows, of which the second is the best, and the accuracies of random subsets and of all data."""
    rows = [
        ("el2n", 4, False, keep, keep, f"w{start}", start, round(IMAGES * (1 - keep - start)), split, 0.8 + start / 10,
         place == 1)
        for keep in keeps
        for place, start in enumerate(start for start in (*starts, 1 - keep) if start <= 1 - keep)
        for split in ("validation", "test")
    ]  # fmt: skip
    columns = [
        "score",
        "epoch",
        "per_class",
        "keep",
        "fraction",
        "method",
        "start",
        "left_out",
        "split",
        "mean",
        "best",
    ]
    windows = pd.DataFrame(rows, columns=columns)
    bands = pd.DataFrame(
        [("random", str(keep), "test", 0.7) for keep in keeps] + [("full", "1.0", "test", 0.95)],
        columns=["method", "keep", "split", "mean"],
    )
    return tuple(t.assign(low=t["mean"] - 0.01, high=t["mean"] + 0.01, count=count) for t in (windows, bands))


def test_the_test_accuracy_over_the_start_and_the_best_window_by_validation():
    windows, bands = tables()
    windows.loc[windows["split"] == "validation", "mean"] += 0.01
    figure = windows_figure(windows, bands, Style())
    (axes,) = figure.axes
    own = windows[windows["split"] == "test"]
    np.testing.assert_allclose(line(axes, "test").get_xdata(), [0, 30, 55, 60])
    np.testing.assert_allclose(line(axes, "test").get_ydata(), 100 * own["mean"])
    assert line(axes, "the best window").get_xydata().tolist() == [[30, pytest.approx(83)]]
    assert line(axes, "random").get_ydata() == pytest.approx([70, 70])
    assert line(axes, "full data").get_ydata() == pytest.approx([95, 95])
    assert legend(figure)[1:] == ["test", "random", "full data", "the best window"]


def test_the_upper_axis_says_how_many_images_are_left_out_at_the_top():
    figure = windows_figure(*tables(), Style())
    figure.canvas.draw()
    (above,) = figure.axes[0].child_axes
    numbers = [tick.label2 for tick in above.xaxis.get_major_ticks()]
    assert [number.get_text() for number in numbers] == ["0", "200", "400", "600"]
    places = np.array([number.get_window_extent().get_points().mean(axis=0) for number in numbers])
    starts = figure.axes[0].transData.inverted().transform(places)[:, 0]
    np.testing.assert_allclose(starts, [60, 40, 20, 0], atol=1)


def test_a_panel_for_each_fraction_with_random_subsets_of_its_size():
    windows, bands = tables(keeps=(0.4, 0.2))  # the keeps of bands are texts, as "500" of images, those of csv numbers
    bands.loc[1, ["mean", "low", "high"]] = 0.5
    figure = windows_figure(windows, bands, Style())
    assert [axes.get_title("left") for axes in figure.axes] == [
        "40% kept by EL2N, epoch 4",
        "20% kept by EL2N, epoch 4",
    ]
    assert [line(axes, "random").get_ydata()[0] for axes in figure.axes] == pytest.approx([70, 50])


def test_no_window_is_an_error():
    windows, bands = tables()
    with pytest.raises(ValueError, match="no window"):
        windows_figure(windows.head(0), bands, Style())


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("starts", [(), (0.6,), (0.0, 0.3)])
@pytest.mark.parametrize("size", [4.0, 20.0])
def test_odd_inputs_draw_without_a_warning(tmp_path, starts, count, size):
    keeps = tuple(0.4 - place / 50 for place in range(11))  # more than are drawn
    for some in (keeps, keeps[:1]):
        save(windows_figure(*tables(some, starts, count), Style(size)), tmp_path / "a.png", 50)
