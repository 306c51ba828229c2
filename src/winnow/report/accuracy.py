"""Accuracy against the share of the data kept, and how far every method is from a random subset of the same size."""

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from winnow.report.spread import BAND, span, spread
from winnow.report.style import Look, Style, drawing, legend_below, looks, new_figure, note

WIDE_RANGE = 20  # largest over smallest share from which the shares are drawn on a logarithmic axis
MARGIN = 0.2  # free space on either side of a single share, as a part of it


def accuracy_figure(accuracy: pd.DataFrame, differences: pd.DataFrame, style: Style, split: str = "test") -> Figure:
    """Two panels: accuracy of every method at every share kept, and its difference to random.

    ``accuracy``: one row per trained network, columns method, keep, images (in its subset), share (of all training
    images, 0 to 1), seed, split and accuracy (0 to 1); rows of other splits are left out. Method "full" is all data,
    drawn as a level line. ``differences``: columns method, keep, share, difference, low and high (fractions; the ends
    of a 95% interval, NaN where one seed gives none), all of the same split; of a table with a column baseline, only
    the rows against random are drawn.

    Raises ValueError if no row is of that split.
    """
    shown = accuracy[accuracy["split"] == split].dropna(subset=["accuracy"])
    if shown.empty:
        raise ValueError(f"no accuracy of split {split!r}")
    shown = shown.assign(percent=100 * shown["accuracy"])
    if "baseline" in differences:
        differences = differences[differences["baseline"] == "random"]
    differences = differences[~differences["method"].isin(["random", "full"])].dropna(subset=["difference"])
    look_of = looks(["random", *shown["method"], *differences["method"]])
    subsets = shown[shown["method"] != "full"]
    kept = pd.concat([table[["keep", "share"]].astype(float) for table in (subsets, differences)])
    shares = np.sort(kept.groupby("keep")["share"].mean().to_numpy())
    wide = len(shares) > 1 and shares[-1] / shares[0] >= WIDE_RANGE

    with drawing(style):
        figure = new_figure(style, 10, 4.8)
        left, right = figure.subplots(1, 2)
        for axes in (left, right):
            _share_axis(axes, subsets, shares, wide)

        handles = {}
        for method in dict.fromkeys(shown["method"]):
            rows = shown[shown["method"] == method]
            if method == "full":
                handles[method] = _draw_full(left, rows, look_of[method])
            else:
                handles[method] = _draw_method(left, _beside(rows, subsets, shares), look_of[method])
        left.set_ylabel(f"{split.capitalize()} accuracy (%)")
        seeds = shown.groupby(["method", "keep"], dropna=False)["seed"].nunique()
        marks = f"line: mean of {span(seeds)}\nband: {BAND}; dots: single seeds"
        note(left, marks if seeds.max() > 1 else "one seed each", style)

        methods = list(dict.fromkeys(differences["method"]))
        for place, method in enumerate(methods):
            rows = differences[differences["method"] == method].sort_values("share")
            x = 100 * _dodged(rows["share"].to_numpy(float), shares, place - (len(methods) - 1) / 2, len(methods), wide)
            _draw_difference(right, rows, x, look_of[method])
        right.axhline(0, color=look_of["random"].color, linestyle=look_of["random"].line, linewidth=1.4, zorder=1.5)
        right.set_ylabel("Difference to random (percentage points)")
        meaning = f"{split} accuracy minus that of random subsets of the same size"
        if differences.empty:
            right.text(0.5, 0.55, "no method besides random", ha="center", transform=right.transAxes)
            right.set_yticks([])
        elif differences["low"].notna().any():
            meaning += "\nbar: 95% interval"
        else:
            meaning += "\none seed each: no interval"
        note(right, meaning, style)

        names = ["full data" if method == "full" else method for method in handles]
        legend_below(figure, list(handles.values()), names, style)
    return figure


def _beside(rows: pd.DataFrame, subsets: pd.DataFrame, shares: np.ndarray) -> pd.DataFrame:
    """One method's rows; where there is but one share, moved sideways, as there is no line to keep methods apart."""
    if len(shares) != 1:
        return rows
    methods = list(dict.fromkeys(subsets["method"]))
    place = methods.index(rows["method"].iloc[0]) - (len(methods) - 1) / 2
    return rows.assign(share=_dodged(rows["share"].to_numpy(float), shares, place, len(methods), wide=False))


def _draw_full(axes: Axes, rows: pd.DataFrame, look: Look) -> Artist:
    """All data: a level line, and its band. Returns the handle for the legend."""
    whole = spread(rows.assign(share=1.0), "share", "percent").iloc[0]
    if whole["count"] > 1:
        axes.axhspan(whole["low"], whole["high"], color=look.color, alpha=0.1, linewidth=0)
    return axes.axhline(whole["mean"], color=look.color, linestyle=look.line, linewidth=1.4, label="full")


def _draw_method(axes: Axes, rows: pd.DataFrame, look: Look) -> Artist:
    """One method: mean line, band and single seeds. Returns the handle for the legend."""
    shares = rows.groupby("keep")["share"].mean().reset_index()
    lines = spread(rows, "keep", "percent").merge(shares, on="keep").sort_values("share")
    x = 100 * lines["share"].to_numpy(float)
    if lines["count"].max() > 1:
        if len(x) > 1:
            axes.fill_between(x, lines["low"], lines["high"], color=look.color, alpha=0.15, linewidth=0)
        else:  # over a single share a band would have no width
            axes.vlines(x, lines["low"], lines["high"], color=look.color, alpha=0.4, linewidth=4)
        axes.scatter(100 * rows["share"], rows["percent"], s=8, color=look.color, alpha=0.4, linewidth=0, zorder=1.5)
    (line,) = axes.plot(
        x, lines["mean"], color=look.color, marker=look.marker, linestyle=look.line, label=rows["method"].iloc[0]
    )
    return line


def _draw_difference(axes: Axes, rows: pd.DataFrame, x: np.ndarray, look: Look) -> None:
    middle, low, high = (100 * rows[column].to_numpy(float) for column in ("difference", "low", "high"))
    known = np.isfinite(low) & np.isfinite(high)
    axes.vlines(x[known], low[known], high[known], color=look.color, linewidth=1.4)
    axes.plot(
        x,
        middle,
        color=look.color,
        marker=look.marker,
        linestyle=look.line,
        linewidth=0.9,
        label=rows["method"].iloc[0],
    )


def _dodged(own: np.ndarray, shares: np.ndarray, place: float, count: int, wide: bool) -> np.ndarray:
    """Shares moved sideways, less than half way to the next, so that the bars of ``count`` methods stay apart."""
    points = np.log(shares) if wide else shares
    if len(points) > 1:  # of the whole range no more than the free space at its ends holds
        room = min(0.6 * float(np.diff(points).min()), min(0.12, 0.03 * count) * float(np.ptp(points)))
    else:
        room = MARGIN * float(shares[0])
    step = place * room / count
    return own * np.exp(step) if wide else own + step


def _share_axis(axes: Axes, subsets: pd.DataFrame, shares: np.ndarray, wide: bool) -> None:
    """The share kept in percent below the panel, the number of images above it; both panels from and to the same."""
    axes.set_xlabel("Share of the training images kept (%)")
    if not len(shares):
        axes.set_xticks([])
        return
    low, high = 100 * shares[0], 100 * shares[-1]
    if wide:
        axes.set_xscale("log")
        pad = (high / low) ** 0.08
        axes.set_xlim(low / pad, high * pad)
    else:
        pad = 0.08 * (high - low) or MARGIN * low
        axes.set_xlim(low - pad, high + pad)
    scales = {axes.xaxis: 1.0}
    if len(subsets):
        per_percent = float((subsets["images"] / (100 * subsets["share"])).median())
        above = axes.secondary_xaxis(
            "top", functions=(partial(np.multiply, per_percent), partial(np.multiply, 1 / per_percent))
        )
        above.set_xlabel("Images kept")
        scales[above.xaxis] = per_percent
    for axis, scale in scales.items():
        if len(shares) == 1:  # methods stand side by side, so only the middle is a true place
            axis.set_major_locator(FixedLocator([low * scale]))
        else:
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)) if wide else MaxNLocator(6, steps=[1, 2, 5, 10]))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
