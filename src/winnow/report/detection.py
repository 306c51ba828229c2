"""How well the scores find wrong labels: precision over recall, and the area under the ROC curve by epoch."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from winnow.report.axes import PLAIN
from winnow.report.marks import draw_lines, in_percent, span
from winnow.report.style import GREY, Style, drawing, legend_below, looks, new_figure, note, score_title

CHANCE = {"color": GREY, "linestyle": (0, (1, 2)), "linewidth": 1.2, "zorder": 1.5}
TICKS = (0.1, 0.5, 0.9, 0.99, 0.999)  # of the logit axis, which keeps detectors near 1 apart
END = 0.9999  # a perfect detector lies here


def detection_figure(table: pd.DataFrame, curves: pd.DataFrame, style: Style) -> Figure:
    """Two panels: precision over recall of every detector, and its area under the ROC curve by the epoch of the score.

    ``table``: columns detector, sample (in or out, of the networks' training), epoch (-1 for a score without one, which
    is a level line), seeds, auroc and average_precision; the rows of the most seeds are drawn, and those of the
    detector "chance" as dotted lines. ``curves``: columns detector, sample, recall and precision.
    """
    chance = table[table["detector"] == "chance"].iloc[0]
    rows = _lines(table[table["detector"] != "chance"])
    rows = rows.groupby(["line", "epoch"], sort=False).last().reset_index()
    look_of = looks(rows["line"])
    with drawing(style):
        figure = new_figure(style, 10, 4.6)
        left, right = figure.subplots(1, 2)
        points = in_percent(_lines(curves), "recall", "precision")
        handles = draw_lines(left, _without_band(points, "precision"), "recall", look_of)
        left.set(xlabel="Recall (% of the wrong labels)", ylabel="Precision (%)", xlim=(0, 102), ylim=(0, 104))
        left.axhline(100 * chance["average_precision"], **CHANCE)
        points = rows.assign(auroc=rows["auroc"].clip(1 - END, END))
        handles |= draw_lines(right, _without_band(points[points["epoch"] >= 0], "auroc"), "epoch", look_of)
        for row in points[points["epoch"] < 0].to_dict("records"):
            look = look_of[row["line"]]
            right.axhline(row["auroc"], color=look.color, linestyle=look.line, label=row["line"])
        handles["chance"] = right.axhline(0.5, **CHANCE)
        _auroc_axis(right, points["auroc"])
        wrong = f"{100 * chance['precision_wrong']:.3g}% of the labels are wrong"
        note(left, f"{wrong}; mean score over {span(rows['seeds'])}", style)
        unseen = "\nunseen: by networks that have not trained on the image" if rows["sample"].eq("out").any() else ""
        note(right, f"probability that a wrong label scores above a right one{unseen}", style)
        legend_below(figure, handles, style)
    return figure


def _lines(table: pd.DataFrame) -> pd.DataFrame:
    """With the column line, such as "EL2N, unseen" for a score by networks that have not trained on the image."""
    names = table["detector"].map(score_title) + table["sample"].map({"in": "", "out": ", unseen"})
    return table.assign(line=names)


def _without_band(table: pd.DataFrame, value: str) -> pd.DataFrame:
    return table.assign(mean=table[value], low=np.nan, high=np.nan, count=1)


def _auroc_axis(axes: Axes, values: pd.Series) -> None:
    axes.set_yscale("logit")
    axes.set_ylim(min(0.4, values.min() / 1.3), max(0.9, 1 - (1 - values.max()) / 1.6))
    axes.yaxis.set_major_locator(FixedLocator(TICKS))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(PLAIN)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set(xlabel="Epoch of the score", ylabel="Area under the ROC curve (logit axis)")
