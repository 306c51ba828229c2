"""The largest share that can be cut at once: predicted from the Hessian's eigenvalues, and measured."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from winnow.report.marks import band_note, draw_spread, left_axis
from winnow.report.spread import spread
from winnow.report.style import Look, Style, drawing, legend_below, new_figure, note

PREDICTED = Look("#0072B2", "s", "-")
MEASURED = "#000000"


def cuts_figure(predicted: pd.DataFrame, measured: pd.DataFrame, style: Style) -> Figure:
    """Shares of a level's live weights cut at once, against the weights it has left.

    ``predicted``: one row per level and replicate, columns level, left, seed and predicted (0 to 1): the largest share
    whose cut stays connected. ``measured``: one row per child trained, columns level, left, child, cut (0 to 1)
    and connected (whether the child is, to the level). Where every connected child of a level was cut less than every
    other one, a bar between the two shows where the measured limit lies. Either may be empty.

    Raises ValueError if both are.
    """
    predicted = predicted.dropna(subset=["predicted"]).assign(percent=100 * predicted["predicted"].astype(float))
    measured = measured.dropna(subset=["cut", "connected"])
    if predicted.empty and measured.empty:
        raise ValueError("no cut, neither predicted nor measured")
    with drawing(style):
        figure = new_figure(style, 7.5, 4.8)
        axes = figure.subplots()
        handles: dict[str, Line2D] = {}
        meaning = []
        if len(predicted):
            left = predicted.groupby("level")["left"].mean().reset_index()
            lines = spread(predicted, "level", "percent").merge(left, on="level").sort_values("left", ascending=False)
            x = 100 * lines["left"].to_numpy(float)
            handles["predicted limit"] = draw_spread(axes, x, lines, PREDICTED, "predicted")
            meaning.append(band_note(lines["count"]))
        else:
            meaning.append("no limit predicted")
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
            meaning.append("bar: between the largest connected and the smallest other child")
        connected = measured["connected"].to_numpy(bool)
        for name, chosen, face in (
            ("child connected to its level", connected, MEASURED),
            ("child not connected", ~connected, "white"),
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
        left_axis(axes, np.append(predicted["left"].to_numpy(float), measured["left"].to_numpy(float)))
        axes.set_xlabel("Weights left before the cut (%)")
        note(axes, "\n".join(meaning), style)
        legend_below(figure, list(handles.values()), list(handles), style)
    return figure


def measured_limits(measured: pd.DataFrame) -> pd.DataFrame:
    """Of each level the largest cut that stays connected (low) and the smallest that does not (high); columns level,
    left, low and high. Levels that lack either, or whose connected children do not all come first, are left out."""
    rows = []
    for level, children in measured.groupby("level", sort=False):
        connected = children["connected"].to_numpy(bool)
        low, high = children["cut"][connected].max(), children["cut"][~connected].min()
        if low < high:
            rows.append((level, children["left"].mean(), low, high))
    return pd.DataFrame(rows, columns=["level", "left", "low", "high"])
