"""Accuracy of subsets that are windows of a ranking, against where the window starts."""

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator

from winnow.report.axes import PLAIN, STEPS, ticks_within
from winnow.report.correlation import column_title
from winnow.report.marks import band_note, draw_lines, in_percent, some_of
from winnow.report.style import Look, Style, drawing, legend_below, looks, note, outer_labels, panels

MOST = 9  # panels
VALIDATION = "validation, by which the best is chosen"
LOOKS = {VALIDATION: Look("#E69F00", "s", (0, (6, 1.5))), "test": Look("#0072B2", "o", "-")}  # the last is in front
BEST = "the best window"


def windows_figure(windows: pd.DataFrame, bands: pd.DataFrame, style: Style) -> Figure:
    """A panel for each ranking and fraction kept: accuracy by the start of the window; the best is marked.

    ``windows``: of ``analysis.windows``. ``bands``: of ``analysis.comparison.accuracy_bands``, of which random subsets
    of the same size and all data are drawn as level lines. At most 9 panels are drawn, evenly spread.

    Raises ValueError if there is no window.
    """
    if windows.empty:
        raise ValueError("no window")
    groups = {
        key: in_percent(own, "mean", "low", "high", "start", "fraction")
        for key, own in windows.groupby(["score", "epoch", "per_class", "keep"], sort=False)
    }
    shown, more = some_of(groups, MOST, "rankings and fractions")
    references = in_percent(bands[bands["split"] == "test"]).assign(keep=lambda rows: rows["keep"].astype(float))
    with drawing(style):
        figure, grid = panels(style, len(shown), 3, (3.4, 2.9))
        handles: dict[str, Artist] = {}
        for axes, key in zip(grid, shown, strict=True):
            first = groups[key].iloc[0]
            of_keep = references[references["keep"].eq(float(first["keep"])) | references["method"].eq("full")]
            handles |= _panel(axes, groups[key], of_keep)
            ranking = column_title(first["score"], first["epoch"]) + ", by class" * bool(first["per_class"])
            note(axes, f"{first['fraction']:.3g}% kept by {ranking}", style)
        room = 100 - min(groups[key]["fraction"].min() for key in shown)
        grid[0].set_xlim(-0.06 * room, 1.06 * room)
        grid[0].xaxis.set_major_locator(MaxNLocator(5, steps=STEPS))
        grid[0].xaxis.set_major_formatter(PLAIN)
        grid[0].set(xlabel="Start of the window (% of the ranking below it)", ylabel="Accuracy (%)")
        outer_labels(grid)
        note(figure, f"{band_note(windows['count'])}; level lines: on the test split{more}", style)
        legend_below(figure, handles, style)
    return figure


def _panel(axes: Axes, own: pd.DataFrame, references: pd.DataFrame) -> dict[str, Artist]:
    lines = own.assign(line=own["split"].replace("validation", VALIDATION))
    handles = draw_lines(axes, lines, "start", LOOKS)
    look_of = looks(["random", "full"])
    for name, words in (("random", "random"), ("full", "full data")):
        for row in references[references["method"] == name].to_dict("records"):
            look = look_of[name]
            handles[words] = axes.axhline(row["mean"], color=look.color, linestyle=look.line, zorder=1.5, label=words)
            if row["count"] > 1:
                axes.axhspan(row["low"], row["high"], color=look.color, alpha=0.1, linewidth=0)
    for row in own[own["best"] & (own["split"] == "test")].to_dict("records"):
        handles[BEST], *_ = axes.plot(
            row["start"], row["mean"], linestyle="", marker="o", markersize=12, markerfacecolor="none",
            markeredgecolor="black", label=BEST,
        )  # fmt: skip
    _left_out_axis(axes, own)
    return handles


def _left_out_axis(axes: Axes, own: pd.DataFrame) -> None:
    """Above the panel, how many images a window with this start leaves out at the top."""
    highest = 100 - own["fraction"].iloc[0]  # start of the window at the top
    lowest = own.iloc[0]
    per_percent = lowest["left_out"] / (highest - lowest["start"]) if lowest["left_out"] else 1.0
    to_images = partial(_line, highest * per_percent, -per_percent)
    above = axes.secondary_xaxis("top", functions=(to_images, partial(_line, highest, -1 / per_percent)))
    above.xaxis.set_major_locator(FixedLocator(list(ticks_within(MaxNLocator(5, steps=STEPS), 0, float(to_images(0))))))
    above.xaxis.set_major_formatter(PLAIN)
    above.set_xlabel("Images left out at the top")


def _line(at_zero: float, slope: float, values: np.ndarray | float) -> np.ndarray:
    return at_zero + slope * np.asarray(values)
