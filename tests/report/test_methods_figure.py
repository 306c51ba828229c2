import numpy as np
import pandas as pd
import pytest

from tests.report.drawn import labels, legend, line
from winnow.report.methods import MOST, OTHERS, cost_figure, gains_figure, share_figure
from winnow.report.style import Style, save

pytestmark = pytest.mark.filterwarnings("error")


def results(settings=("clean", "noisy"), methods=9, shares=(0.05, 0.3)) -> pd.DataFrame:
    names = ["random", *(f"m{place}" for place in range(1, methods))]
    rows = [
        (setting, name, share, seed, 0.5 + share + place / 100 + seed / 1000)
        for setting in settings
        for place, name in enumerate(names)
        for share in shares
        for seed in (0, 1)
    ]
    rows += [(setting, "full", 1.0, seed, 0.99) for setting in settings for seed in (0, 1)]
    return pd.DataFrame(rows, columns=["setting", "method", "fraction", "seed", "accuracy"])


def test_random_all_data_and_the_first_methods_stand_out() -> None:
    shown = ["m3", "random", "m1", "m8", "m2", "m4", "m5", "m6"]
    figure = share_figure(results(), shown, Style())
    assert [axes.get_title("right") for axes in figure.axes] == ["clean", "noisy"]
    assert legend(figure) == ["random", "m3", "m1", "m8", "m2", "m4", "m5", "all data", OTHERS]
    assert MOST == 6
    (axes, _) = figure.axes
    assert line(axes, "m3").get_xdata().tolist() == pytest.approx([5, 30])
    assert line(axes, "m3").get_ydata().tolist() == pytest.approx([58.05, 83.05])
    assert "_m7" in labels(axes)
    assert len(axes.collections) == 7  # a band for random and each of the six
    assert axes.collections[0].get_paths()[0].vertices[:, 1].max() == pytest.approx(80.084)  # of seeds at 80.0 and 80.1


def test_a_method_with_a_single_share_is_a_point() -> None:
    one = pd.DataFrame({"setting": "clean", "method": "alone", "fraction": 0.5, "seed": [0, 1], "accuracy": 0.6})
    (axes, _) = share_figure(pd.concat([results(), one]), [], Style()).axes
    assert (line(axes, "_alone").get_marker(), line(axes, "_m7").get_marker()) == (".", "")


def gains(methods=3) -> pd.DataFrame:
    rows = [(setting, f"m{place}", share, place / 100 - share)
            for setting in ("clean", "noisy") for place in range(methods) for share in (0.05, 0.3)]  # fmt: skip
    rows += [("clean", "random", share, 0.0) for share in (0.05, 0.3)]
    return pd.DataFrame(rows, columns=["setting", "method", "fraction", "gain"])


def test_the_heat_map_has_a_row_for_each_method_in_order() -> None:
    axes = gains_figure(gains(), ["m2", "random", "m0", "m1"], Style()).axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["m2", "m0", "m1"]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == [
        "clean 0.05",
        "clean 0.3",
        "noisy 0.05",
        "noisy 0.3",
    ]
    np.testing.assert_allclose(axes.images[0].get_array()[0], [-3, -28, -3, -28])


def test_gain_against_passes_with_names() -> None:
    costs = pd.DataFrame({"method": ["m0", "m1", "m2"], "passes": [0, 5, 40]})
    axes = cost_figure(costs, gains(), Style()).axes[0]
    (points,) = (drawn for drawn in axes.lines if drawn.get_linestyle() == "None")
    np.testing.assert_allclose(points.get_xydata(), [(0, -17.5), (5, -16.5), (40, -15.5)])
    assert {text.get_text() for text in axes.texts} == {"m0", "m1", "m2"}


def test_nothing_to_draw_is_an_error() -> None:
    with pytest.raises(ValueError, match="no method besides random"):
        gains_figure(gains(0), [], Style())
    with pytest.raises(ValueError, match="no method has both"):
        cost_figure(pd.DataFrame({"method": ["x"], "passes": [0]}), gains(), Style())


@pytest.mark.parametrize("size", [4.0, 20.0])
@pytest.mark.parametrize(("methods", "shares"), [(1, (0.5,)), (40, (0.05, 0.1, 0.2, 0.3, 0.5, 0.7))])
def test_odd_inputs_draw_without_a_warning(tmp_path, size, methods, shares) -> None:
    table = results(("one",), methods, shares)
    save(share_figure(table, list(table["method"].unique()), Style(size)), tmp_path / "a.png", 50)
    if methods > 1:
        named = table[table["method"] != "full"].groupby(["setting", "method", "fraction"], as_index=False).mean()
        named = named.assign(gain=named["accuracy"] - 0.6)
        save(gains_figure(named, list(named["method"].unique()), Style(size)), tmp_path / "b.png", 50)
        costs = pd.DataFrame({"method": named["method"].unique(), "passes": 7})
        save(cost_figure(costs, named, Style(size)), tmp_path / "c.png", 50)
