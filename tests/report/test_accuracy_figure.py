import numpy as np
import pandas as pd
import pytest

from tests.report.drawn import line
from tests.report.figure_data import EIGHT, THREE, accuracies
from winnow.analysis.comparison import DYNAMIC, accuracy_bands
from winnow.report.accuracy import accuracy_figure
from winnow.report.style import Style, looks, save

pytestmark = pytest.mark.filterwarnings("error")


def draw(accuracy, differences, style=None):
    return accuracy_figure(accuracy, accuracy_bands(accuracy), differences, style or Style())


def bars(axes):
    """Ends of the vertical bars, [n, 2 ends, (x, y)]; the order of drawing."""
    return [np.asarray(segment) for bars in axes.collections for segment in bars.get_segments()]


def test_lines_are_means_over_the_seeds_of_the_test_split():
    accuracy, differences = accuracies()
    axes = draw(accuracy, differences).axes[0]
    assert axes.get_ylabel() == "Test accuracy (%)"
    for method in THREE:
        of_it = accuracy[(accuracy["method"] == method) & (accuracy["split"] == "test")]
        by_hand = [100 * of_it.loc[of_it["keep"] == keep, "accuracy"].to_numpy().mean() for keep in (0.3, 0.5, 0.7)]
        np.testing.assert_allclose(line(axes, method).get_xdata(), [30, 50, 70])
        np.testing.assert_allclose(line(axes, method).get_ydata(), by_hand)
    full = accuracy[(accuracy["method"] == "full") & (accuracy["split"] == "test")]["accuracy"].to_numpy()
    np.testing.assert_allclose(line(axes, "full").get_ydata(), 100 * full.mean())


def test_what_chooses_as_it_goes_stands_at_its_share_of_the_visits():
    accuracy, differences = accuracies()
    alone = draw(accuracy, differences)
    own = accuracy[accuracy["method"] == "el2n"].groupby(["seed", "split"]).head(1)
    own = own.assign(method="infobatch", keep=DYNAMIC, fraction=0.62, images=1437)
    figure = draw(pd.concat([accuracy, own], ignore_index=True), differences)
    drawn = line(figure.axes[0], "infobatch (dynamic)")
    np.testing.assert_allclose(drawn.get_xdata(), [62])
    np.testing.assert_allclose(drawn.get_ydata(), 100 * own[own["split"] == "test"]["accuracy"].mean())
    assert "dynamic: at its share of the visits of full data" in figure.axes[0].get_title("left")
    before, after = (each.axes[0].child_axes[0].get_xlim() for each in (alone, figure))
    assert before == after  # the number of images stored is no number of images kept


def test_band_is_between_the_16th_and_84th_percentile():
    accuracy, differences = accuracies(["el2n", "random"], seeds=5)
    band = draw(accuracy, differences).axes[0].collections[0]
    el2n = accuracy[(accuracy["method"] == "el2n") & (accuracy["split"] == "test")].groupby("keep")["accuracy"]
    edges = np.unique(band.get_paths()[0].vertices.round(9), axis=0)
    for keep, values in el2n:
        low, high = np.percentile(values, [16, 84])
        drawn = edges[np.isclose(edges[:, 0], 100 * keep), 1]
        np.testing.assert_allclose([drawn.min(), drawn.max()], [100 * low, 100 * high])


def test_differences_are_drawn_in_points_near_their_fraction():
    accuracy, differences = accuracies()
    axes = draw(accuracy, differences).axes[1]
    for method in ("el2n", "grand"):
        rows = differences[differences["method"] == method]
        np.testing.assert_allclose(line(axes, method).get_ydata(), 100 * rows["difference"])
        np.testing.assert_allclose(line(axes, method).get_xdata(), 100 * rows["fraction"], atol=2)
    drawn = np.array(bars(axes))
    np.testing.assert_allclose(drawn[:, 0, 1], 100 * differences["low"])
    np.testing.assert_allclose(drawn[:, 1, 1], 100 * differences["high"])
    assert len(np.unique(drawn[:, 0, 0])) == len(drawn), "no two bars at one place"
    assert [0, 0] in [list(drawn.get_ydata()) for drawn in axes.lines], "the zero line"


@pytest.mark.parametrize("keeps", [(0.1, 0.2, 0.3, 0.9), (0.01, 0.05, 0.5), (0.5,)])
def test_bars_stay_apart_and_nearest_to_their_own_fraction(keeps):
    accuracy, differences = accuracies(EIGHT, keeps)
    axes = draw(accuracy, differences).axes[1]
    left, right = axes.get_xlim()
    for method in EIGHT:
        if method != "random":
            x = line(axes, method).get_xdata()
            nearest = [min(keeps, key=lambda keep: abs(np.log(100 * keep / place))) for place in x]
            assert nearest == list(keeps)
            assert left < x.min() and x.max() < right
    x = np.sort([segment[0, 0] for segment in bars(axes)])
    assert np.log(x[1:] / x[:-1]).min() > 0.001


def test_only_rows_against_random_are_drawn():
    accuracy, differences = accuracies()
    to_full = differences.assign(baseline="full", difference=0.9)
    both = pd.concat([differences, to_full])
    axes = draw(accuracy, both).axes[1]
    el2n = differences[differences["method"] == "el2n"]
    np.testing.assert_allclose(line(axes, "el2n").get_ydata(), 100 * el2n["difference"])


def test_methods_look_the_same_in_both_panels():
    figure = draw(*accuracies(EIGHT))
    for method, look in looks(["random", *EIGHT]).items():
        for axes in figure.axes[: 1 if method == "random" else 2]:
            assert line(axes, method).get_color() == look.color
            assert line(axes, method).get_marker() == look.marker


def test_number_of_seeds_is_told():
    titles = [draw(*accuracies(seeds=n)).axes[0].get_title("left") for n in (4, 1)]
    assert "mean of 4 seeds" in titles[0] and "one seed" in titles[1]
    accuracy, differences = accuracies()
    fewer = accuracy[(accuracy["method"] != "grand") | (accuracy["seed"] < 102)]
    assert "2 to 4 seeds" in draw(fewer, differences).axes[0].get_title("left")


def test_counts_are_placed_by_their_fraction():
    figure = draw(*accuracies(keeps=(200, 800)))
    np.testing.assert_allclose(line(figure.axes[0], "el2n").get_xdata(), [100 * 200 / 1437, 100 * 800 / 1437])


@pytest.mark.parametrize(
    "case",
    [
        {},
        {"methods": EIGHT},
        {"methods": EIGHT, "keeps": (0.01, 0.1, 0.5, 0.9)},
        {"seeds": 1},
        {"keeps": (0.5,)},
        {"keeps": (0.5,), "seeds": 1},
        {"keeps": (100, 500, 1000)},
        {"methods": ("random",)},
        {"keeps": ()},
    ],
)
def test_odd_inputs_draw_without_a_warning(tmp_path, case):
    save(draw(*accuracies(**case), Style(20.0)), tmp_path / "a.png", 50)


def test_nothing_to_show_is_an_error():
    accuracy, differences = accuracies()
    with pytest.raises(ValueError, match="test"):
        draw(accuracy[accuracy["split"] == "validation"], differences)


def test_one_seed_draws_no_bars():
    figure = draw(*accuracies(seeds=1))
    assert bars(figure.axes[1]) == []
    assert "no interval" in figure.axes[1].get_title("left")
