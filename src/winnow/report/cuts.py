"""The largest fraction that can be cut at once: predicted from the Hessian's eigenvalues, and measured."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from winnow.report.axes import density_axis
from winnow.report.marks import band_note, draw_lines, in_percent
from winnow.report.style import Look, Style, drawing, legend_below, new_figure, note

PREDICTIONS = {
    "predicted_high": "predicted, negative eigenvalues taken as flat",
    "predicted_low": "predicted, negative eigenvalues taken by size",
}
LOOKS = dict(zip(PREDICTIONS.values(), (Look("#56B4E9", "^", "--"), Look("#0072B2", "v", "-")), strict=True))
CHILDREN = {True: ("child in its level's connected sublevel set", "#000000"), False: ("child outside", "white")}


def cuts_figure(predicted: pd.DataFrame, measured: pd.DataFrame, limits: pd.DataFrame, style: Style) -> Figure:
    """Fractions of a level's live weights cut at once, against the weights it has left.

    ``predicted``: columns level, density, prediction (predicted_low or predicted_high: with negative eigenvalues by
    their size, and as flat), mean, low, high and count: the largest cut that stays in the level's linearly connected
    sublevel set. ``measured``: one row per child trained, columns density (of the level), cut and in_lcs (whether the
    child lies there; those not known are left out). ``limits``: columns density, largest_inside and smallest_outside:
    where the one is below the other, a bar between the two shows where the measured limit lies. All fractions. The
    first two may be empty.  Raises ValueError if both are.
    """
    measured = in_percent(measured.dropna(subset=["cut", "in_lcs"]), "density", "cut")
    if predicted.empty and measured.empty:
        raise ValueError("no cut, neither predicted nor measured")
    lines = in_percent(predicted, "density", "mean", "low", "high").assign(
        line=predicted["prediction"].map(PREDICTIONS)
    )
    bars = in_percent(limits[limits["largest_inside"] < limits["smallest_outside"]], "density", *limits.columns[-2:])
    with drawing(style):
        figure = new_figure(style, 7.5, 4.8)
        axes = figure.subplots()
        density_axis(
            axes, np.append(predicted["density"], measured["density"] / 100), "Weights left before the cut (%)"
        )
        handles = draw_lines(axes, lines, "density", LOOKS)
        meaning = ["no limit predicted" if predicted.empty else band_note(predicted["count"])]
        if len(bars):
            ends = bars["largest_inside"], bars["smallest_outside"]
            axes.vlines(bars["density"], *ends, color="#999999", linewidth=3.5, zorder=1.8)
            meaning.append("bar: between the largest cut inside and the smallest outside")
        for inside, (name, face) in CHILDREN.items() if len(measured) else ():
            rows = measured[measured["in_lcs"].eq(inside)]
            (handles[name],) = axes.plot(rows["density"], rows["cut"], linestyle="", marker="o", markersize=6,
                                         color="#000000", markerfacecolor=face, label=name)  # fmt: skip
        if measured.empty:
            meaning.append("no child was trained")
        axes.set(ylim=(-2, 102), ylabel="Fraction of the live weights cut at once (%)")
        note(axes, "\n".join(meaning), style)
        legend_below(figure, handles, style)
    return figure
