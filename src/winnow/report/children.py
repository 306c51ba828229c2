"""When two children of one network end in the same mode, by the step at which they part; and on which images."""

import pandas as pd
from matplotlib.figure import Figure

from winnow.report.axes import error_axis, given_axis
from winnow.report.marks import (
    HELD_OUT,
    SPLITS,
    TRAINED,
    band_note,
    draw_epsilon,
    draw_lines,
    drawn_values,
    in_percent,
)
from winnow.report.style import GREY, Look, Style, drawing, legend_below, new_figure, note

SUBSETS = {
    "lowest": ("lowest scores", TRAINED),
    "random": ("random", Look(GREY, "x", (0, (1, 1)))),
    "highest": ("highest scores", HELD_OUT),
}


def children_figure(barriers: pd.DataFrame, bands: pd.DataFrame, epsilon: float, style: Style) -> Figure:
    """Barrier between two children of one network, of test and train error, over the step at which they part.

    ``barriers``: one row per step, replicate and split, columns at (steps of the parent), split (train or test) and
    barrier (a fraction); ``bands``: of them, columns at, split, mean, low, high, count. ``epsilon``: a fraction, NaN if
    unknown.

    Raises ValueError if there is no barrier.
    """
    if bands.empty:
        raise ValueError("no barrier between children")
    lines = in_percent(bands).assign(line=bands["split"] + " images")
    single = in_percent(barriers, "barrier")
    with drawing(style):
        figure = new_figure(style, 7, 4.5)
        axes = figure.subplots()
        if bands["count"].max() > 1:
            colors = [SPLITS[f"{split} images"].color for split in single["split"]]
            axes.scatter(single["at"], single["barrier"], s=8, c=colors, alpha=0.4, linewidth=0, zorder=2.6,
                         clip_on=False, in_layout=False)  # fmt: skip
        handles = draw_lines(axes, lines, "at", SPLITS)
        limit = draw_epsilon(axes, epsilon)
        values = drawn_values(lines, *single["barrier"], 100 * epsilon)
        error_axis(axes, "Barrier between the children", values, "points", from_zero=True)
        given_axis(axes, lines["at"])
        axes.set_xlabel("Steps at which the children part")
        dots = "; dots: single seeds" if bands["count"].max() > 1 else ""
        note(axes, band_note(bands["count"]) + dots + limit.replace("; ", "\n"), style)
        legend_below(figure, handles, style)
    return figure


def children_subsets_figure(curves: pd.DataFrame, style: Style) -> Figure:
    """Two panels over the step at which two children of one network part: their barrier on training images of the
    lowest and of the highest scores and on random ones, and how many of those images are connected one by one.

    ``curves``: columns quantity (barrier or connected), subset (lowest, random, highest; others are left out), at,
    mean, low, high (fractions) and count.

    Raises ValueError if there is no such subset.
    """
    lines = in_percent(curves[curves["subset"].isin(list(SUBSETS))])
    if lines.empty:
        raise ValueError("no barrier on a subset")
    lines = lines.assign(line=lines["subset"].map({subset: name for subset, (name, _) in SUBSETS.items()}))
    barriers, connected = (lines[lines["quantity"] == quantity] for quantity in ("barrier", "connected"))
    look_of = dict(SUBSETS.values())
    with drawing(style):
        figure = new_figure(style, 10, 4.5)
        left, right = figure.subplots(1, 2)
        handles = draw_lines(left, barriers, "at", look_of) | draw_lines(right, connected, "at", look_of)
        error_axis(left, "Barrier between the children", drawn_values(barriers), "points", from_zero=True)
        right.set_ylabel("Images connected one by one (%)")
        right.set_ylim(top=100)
        for mark in [*right.lines, *left.lines]:
            mark.set(clip_on=False, in_layout=False, zorder=3)
        for axes in (left, right):
            given_axis(axes, lines["at"])
            axes.set_xlabel("Steps at which the children part")
        note(left, f"of the error on training images\n{band_note(lines['count'])}", style)
        note(right, "right all along the line, or wrong at an end", style)
        legend_below(figure, handles, style)
    return figure
