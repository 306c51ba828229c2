import numpy as np
import pandas as pd
import pytest

from winnow.report.pruned import before_after_figure, cost_accuracy_figure
from winnow.report.style import Style, save

pytestmark = pytest.mark.filterwarnings("error")


def changes(settings: tuple[str, ...] = ("s",), methods: int = 4) -> pd.DataFrame:
    """At 10% each method costs twice as much as the one before it; the second is the worst, the last the best."""
    rows = [(setting, f"m{place}", density, 0.5 + density + (place if place != 1 else -1) / 100, 0.1 * 2**place)
            for setting in settings for density in (0.3, 0.1) for place in range(methods)]  # fmt: skip
    rows.append((settings[0], "untrained", 0.1, 0.9, 0.0))
    rows.append((settings[0], "pattern", 0.5, 0.9, 2.0))
    return pd.DataFrame(rows, columns=["setting", "method", "density", "accuracy", "cost"])


def networks(settings: tuple[str, ...] = ("s",), methods: int = 5) -> pd.DataFrame:
    rows = [(setting, density, f"m{place}", place == 4, seed, (place + seed / 2) / 10, (place + seed) / 100)
            for setting in settings for density in (0.3, 0.1)
            for place in range(methods) for seed in (0, 1)]  # fmt: skip
    return pd.DataFrame(rows, columns=["setting", "density", "method", "channels", "seed", "before", "after"])


def points(axes) -> list[np.ndarray]:
    return [line.get_xydata() for line in axes.lines if line.get_marker() == "o" and len(line.get_xydata())]


def test_accuracy_against_cost_and_what_nothing_dominates() -> None:
    figure = cost_accuracy_figure(changes(), Style())
    assert [axes.get_title("right") for axes in figure.axes] == ["s, 50% left", "s, 30% left", "s, 10% left"]
    axes = figure.axes[2]
    (found,) = points(axes)
    np.testing.assert_allclose(found, [(0.1, 60), (0.2, 59), (0.4, 62), (0.8, 63)])
    (line,) = (drawn for drawn in axes.lines if drawn.get_linestyle() == "-")
    np.testing.assert_allclose(line.get_xydata(), [(0.1, 60), (0.4, 62), (0.8, 63)])  # without the second
    assert {text.get_text() for text in axes.texts} == {"m0", "m1", "m2", "m3"}


def test_errors_before_and_after_are_means_over_networks_and_channels_are_open() -> None:
    figure = before_after_figure(networks(), Style())
    assert [axes.get_title("right") for axes in figure.axes] == ["s, 30% left", "s, 10% left"]
    weights, channels = points(figure.axes[0])
    np.testing.assert_allclose(weights, [(10 * place + 2.5, place + 0.5) for place in range(4)])
    np.testing.assert_allclose(channels, [(42.5, 4.5)])
    (open_one,) = (line for line in figure.axes[0].lines if line.get_color() == "white")
    assert len(open_one.get_xydata()) == 1


def test_nothing_to_draw_is_an_error() -> None:
    with pytest.raises(ValueError, match="no method that trains"):
        cost_accuracy_figure(changes().query("method == 'untrained'"), Style())
    with pytest.raises(ValueError, match="before and after retraining can be compared"):
        before_after_figure(networks().head(0), Style())


@pytest.mark.parametrize("size", [4.0, 20.0])
@pytest.mark.parametrize(("settings", "methods"), [(("a",), 1), (("a", "b", "c"), 30)])
def test_odd_inputs_draw_without_a_warning(tmp_path, size: float, settings: tuple[str, ...], methods: int) -> None:
    save(cost_accuracy_figure(changes(settings, methods), Style(size)), tmp_path / "a.png", 30)
    save(before_after_figure(networks(settings, methods), Style(size)), tmp_path / "b.png", 30)
