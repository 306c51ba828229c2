"""The largest share that can be cut at once: predicted from the Hessian's eigenvalues, and measured."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from winnow.report.marks import band_note, draw_spread, left_axis
from winnow.report.spread import spread
from winnow.report.style import Look, Style, drawing, legend_below, new_figure, note

LOWER = Look("#0072B2", "v", "-")
UPPER = Look("#56B4E9", "^", "--")
MEASURED = "#000000"


def cuts_figure(curvature: pd.DataFrame, measured: pd.DataFrame, style: Style) -> Figure:
    """Shares of a level's live weights cut at once, against the weights it has left.

    ``curvature``: one row per level and replicate, columns level, left, seed, predicted_low and predicted_high (0 to
    1): the largest share whose cut stays in the level's linearly connected sublevel set, with negative eigenvalues by
    their size and as flat. ``measured``: one row per child trained, columns level, left, child, cut (0 to 1) and in_lcs
    (whether the child lies there). Where every such child of a level was cut less than every other one, a bar between
    the two shows where the measured limit lies. Either may be empty.

    Raises ValueError if both are.
    """
    curvature = curvature.dropna(subset=["predicted_low", "predicted_high"])
    measured = measured.dropna(subset=["cut", "in_lcs"])
    if curvature.empty and measured.empty:
        raise ValueError("no cut, neither predicted nor measured")
    with drawing(style):
        figure = new_figure(style, 7.5, 4.8)
        axes = figure.subplots()
        handles: dict[str, Line2D] = {}
        meaning = []
        if curvature.empty:
            meaning.append("no limit predicted")
        else:
            left = curvature.groupby("level")["left"].mean().reset_index()
            for column, look, name in (
                ("predicted_high", UPPER, "predicted, negative eigenvalues taken as flat"),
                ("predicted_low", LOWER, "predicted, negative eigenvalues taken by size"),
            ):
                percent = curvature.assign(percent=100 * curvature[column].astype(float))
                lines = spread(percent, "level", "percent").merge(left, on="level").sort_values("left", ascending=False)
                handles[name] = draw_spread(axes, 100 * lines["left"].to_numpy(float), lines, look, name)
            meaning.append(band_note(lines["count"]))
        limits = measured_limits(measured)
        if len(limits):
            axes.vlines(
                100 * limits["left"],
                100 * limits["low"],
                100 * limits["high"],
                color="#999999",
                linewidth=3.5,
                zorder=1.8,
            )
            meaning.append("bar: between the largest cut inside and the smallest outside")
        inside = measured["in_lcs"].to_numpy(bool)
        for name, chosen, face in (
            ("child in its level's connected sublevel set", inside, MEASURED),
            ("child outside", ~inside, "white"),
        ):
            rows = measured[chosen]
            (handles[name],) = axes.plot(
                100 * rows["left"], 100 * rows["cut"], linestyle="", marker="o", markersize=6,
                color=MEASURED, markerfacecolor=face, label=name,
            )  # fmt: skip
        if measured.empty:
            meaning.append("no child was trained")
            handles = {name: handle for name, handle in handles.items() if not name.startswith("child")}
        axes.set_ylim(-2, 102)
        axes.set_ylabel("Share of the live weights cut at once (%)")
        left_axis(axes, np.append(curvature["left"].to_numpy(float), measured["left"].to_numpy(float)))
        axes.set_xlabel("Weights left before the cut (%)")
        note(axes, "\n".join(meaning), style)
        legend_below(figure, list(handles.values()), list(handles), style)
    return figure


def measured_limits(measured: pd.DataFrame) -> pd.DataFrame:
    """Of each level the largest cut that stays in its connected sublevel set (low) and the smallest that does not
    (high); columns level, left, low and high. Levels that lack either, or of whose children those inside do not all
    come first, are left out."""
    rows = []
    for level, children in measured.groupby("level", sort=False):
        inside = children["in_lcs"].to_numpy(bool)
        low, high = children["cut"][inside].max(), children["cut"][~inside].min()
        if low < high:
            rows.append((level, children["left"].mean(), low, high))
    return pd.DataFrame(rows, columns=["level", "left", "low", "high"])
