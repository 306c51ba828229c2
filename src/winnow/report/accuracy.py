"""Accuracy against the fraction of the data kept, and how far every method is from a random subset of the same size."""

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, NullLocator

from winnow.analysis.comparison import DYNAMIC
from winnow.report.axes import PLAIN, STEPS, beside
from winnow.report.marks import band_note, draw_lines, in_percent, nothing_drawn
from winnow.report.style import Look, Style, drawing, legend_below, looks, new_figure, note
from winnow.selection.recipes import SIGN

WIDE_RANGE = 20  # largest over smallest fraction from which an axis of fractions is logarithmic
MARGIN = 0.2  # free space on either side of a single fraction, as a part of it


def accuracy_figure(accuracy: pd.DataFrame, bands: pd.DataFrame, differences: pd.DataFrame, style: Style) -> Figure:
    """Two panels: test accuracy of every method at every fraction kept, and its difference to random.

    ``accuracy``: one row per trained network, columns method, keep, fraction (of all training images, 0 to 1), split
    and accuracy (0 to 1), for the dots. ``bands``: of them, columns method, keep, fraction, images (in the subset),
    split, mean, low, high and count (of seeds). Method "full" is all data, drawn as a level line. Methods whose keep is
    DYNAMIC choose as they go; their fraction is that of the visits. ``differences``: columns method, fraction,
    baseline, difference, low and high (fractions; the ends of a 95% interval, NaN where one seed gives none); only the
    rows against random are drawn.

    Raises ValueError if there is no accuracy of the test split.
    """
    accuracy, bands = accuracy[accuracy["split"] == "test"], bands[bands["split"] == "test"]
    if bands.empty:
        raise ValueError("no accuracy of split 'test'")
    bands, accuracy = (_marked(table) for table in (bands, accuracy))
    subsets = in_percent(bands[bands["method"] != "full"], "mean", "low", "high", "fraction")
    against = differences[differences["baseline"].eq("random") & (differences["method"] != "full")]
    against = in_percent(against.dropna(subset=["difference"]), "difference", "low", "high", "fraction")
    look_of = looks(["random", *bands["method"], *against["method"]])
    with drawing(style):
        figure = new_figure(style, 10, 4.8)
        left, right = figure.subplots(1, 2)
        for axes in (left, right):
            _kept_axis(axes, subsets)
        handles = _draw_subsets(left, subsets, accuracy, look_of)
        for row in in_percent(bands[bands["method"] == "full"]).to_dict("records"):  # one, a level line
            look = look_of["full"]
            handles["full data"] = left.axhline(row["mean"], color=look.color, linestyle=look.line, label="full")
            if row["count"] > 1:
                left.axhspan(row["low"], row["high"], color=look.color, alpha=0.1, linewidth=0)
        left.set_ylabel("Test accuracy (%)")
        dots = "; dots: single seeds" if bands["count"].max() > 1 else ""
        visits = "\ndynamic: at its share of the visits of full data" if bands["keep"].eq(DYNAMIC).any() else ""
        note(left, band_note(bands["count"]).replace("; ", "\n") + dots + visits, style)
        draw_differences(right, against, look_of)
        meaning = "test accuracy minus that of random subsets of the same size"
        if against["method"].str.contains(SIGN, regex=False).any():
            meaning += f"\nMETHOD{SIGN}RECIPE: against random by the same recipe"
        if against.empty:
            nothing_drawn(right, "no method besides random")
            right.set_yticks([])
        else:
            meaning += "\nbar: 95% interval" if against["low"].notna().any() else "\none seed each: no interval"
        note(right, meaning, style)
        legend_below(figure, handles, style)
    return figure


def _marked(table: pd.DataFrame) -> pd.DataFrame:
    """The table, with "(dynamic)" behind the methods that choose as they go."""
    method = table["method"].mask(table["keep"].eq(DYNAMIC), table["method"] + " (dynamic)")
    return table.assign(method=method)


def _draw_subsets(
    axes: Axes, bands: pd.DataFrame, accuracy: pd.DataFrame, look_of: dict[str, Look]
) -> dict[str, Artist]:
    """Of every method mean line, band and single seeds; where there is but one fraction, side by side."""
    if bands.empty:
        return {}
    one = bands["fraction"].nunique() == 1
    bands = beside(axes, bands, "fraction", "method") if one else bands
    handles = draw_lines(axes, bands, "fraction", {name: look_of[name] for name in bands["method"]}, by="method")
    for method, rows in bands.groupby("method", sort=False) if bands["count"].max() > 1 else ():
        single, color = accuracy[accuracy["method"] == method], look_of[str(method)].color
        x = np.full(len(single), rows["fraction"].iloc[0]) if one else 100 * single["fraction"]
        axes.scatter(x, 100 * single["accuracy"], s=8, color=color, alpha=0.4, linewidth=0, zorder=1.5)
    return handles


def draw_differences(axes: Axes, against: pd.DataFrame, look_of: dict[str, Look]) -> None:
    """Of every method a bar and a mark beside those of the others, and random's own level at 0."""
    moved = beside(axes, against, "fraction", "method").sort_values("fraction") if len(against) else against
    for method, rows in moved.groupby("method", sort=False):
        look = look_of[str(method)]
        bars = rows.dropna(subset=["low", "high"])
        axes.vlines(bars["fraction"], bars["low"], bars["high"], color=look.color, linewidth=1.4)
        axes.plot(rows["fraction"], rows["difference"], color=look.color, marker=look.marker, linestyle=look.line,
                  linewidth=0.9, label=method)  # fmt: skip
    axes.axhline(0, color=look_of["random"].color, linestyle=look_of["random"].line, linewidth=1.4, zorder=1.5)
    axes.set_ylabel("Difference to random (percentage points)")


def _kept_axis(axes: Axes, subsets: pd.DataFrame) -> None:
    """The fraction kept in percent below the panel, the number of images above it; both panels from and to the same."""
    axes.set_xlabel("Fraction of the training images kept (%)")
    if subsets.empty:
        axes.set_xticks([])
        return
    low, high = subsets["fraction"].min(), subsets["fraction"].max()
    wide = high >= WIDE_RANGE * low
    if wide:
        axes.set_xscale("log")
        pad = (high / low) ** 0.08
        axes.set_xlim(low / pad, high * pad)
    else:
        pad = 0.08 * (high - low) or MARGIN * low
        axes.set_xlim(low - pad, high + pad)
    fixed = subsets[subsets["keep"] != DYNAMIC]
    per_percent = float((fixed["images"] / fixed["fraction"]).median())
    above = axes.secondary_xaxis(
        "top", functions=(partial(np.multiply, per_percent), partial(np.multiply, 1 / per_percent))
    )
    above.set_xlabel("Images kept")
    for axis, scale in ((axes.xaxis, 1.0), (above.xaxis, per_percent)):
        if low == high:  # methods stand side by side, so only the middle is a true place
            axis.set_major_locator(FixedLocator([low * scale]))
        else:
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)) if wide else MaxNLocator(6, steps=STEPS))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(PLAIN)
