import numpy as np
import pandas as pd

from tests.report.drawn import legend
from tests.report.ticket_data import cuts
from winnow.analysis.cuts import cut_limits, predicted_cuts
from winnow.report.cuts import cuts_figure
from winnow.report.style import Style


def children(*rows):
    return pd.DataFrame(rows, columns=["level", "density", "cut", "in_lcs"])


def draw(curvature, measured):
    levels = curvature[["level", "density"]].drop_duplicates()
    return cuts_figure(predicted_cuts(curvature, levels), measured, cut_limits(measured), Style())


def test_predictions_are_means_and_children_are_filled_where_connected():
    predicted, measured = cuts()
    axes = draw(predicted, measured.sample(frac=1, random_state=0)).axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    for column, label in (
        ("predicted_low", "predicted, negative eigenvalues taken by size"),
        ("predicted_high", "predicted, negative eigenvalues taken as flat"),
    ):
        by_hand = 100 * predicted.groupby("density")[column].mean()[::-1]
        np.testing.assert_allclose(lines[label].get_xdata(), 100 * by_hand.index)
        np.testing.assert_allclose(lines[label].get_ydata(), by_hand)
    for label, face, connected in (
        ("child in its level's connected sublevel set", "#000000", True),
        ("child outside", "white", False),
    ):
        expected = measured[measured["in_lcs"] == connected]
        points = sorted(zip(lines[label].get_xdata(), lines[label].get_ydata(), strict=True))
        np.testing.assert_allclose(points, sorted(zip(100 * expected["density"], 100 * expected["cut"], strict=True)))
        assert lines[label].get_markerfacecolor() == face


def test_measured_limit_lies_between_the_last_connected_and_the_first_other_child():
    table = children(
        ("dense", 1.0, 0.2, True), ("dense", 1.0, 0.4, True), ("dense", 1.0, 0.8, False),
        ("l1", 0.8, 0.2, True),
        ("l2", 0.64, 0.2, False), ("l2", 0.64, 0.4, True),
        ("l3", 0.5, 0.2, False),
    )  # fmt: skip
    axes = draw(cuts()[0].iloc[:0], table).axes[0]
    np.testing.assert_allclose(axes.collections[0].get_segments(), [[[100, 40], [100, 80]]])


def test_what_is_missing_is_said():
    predicted, measured = cuts()
    assert "no limit predicted" in draw(predicted.iloc[:0], measured).axes[0].get_title("left")
    alone = draw(predicted, measured.iloc[:0])
    assert "no child was trained" in alone.axes[0].get_title("left")
    assert legend(alone) == [
        "predicted, negative eigenvalues taken as flat",
        "predicted, negative eigenvalues taken by size",
    ]
