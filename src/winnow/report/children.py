"""When two children of one network end in the same mode, by the step at which they part."""

import pandas as pd
from matplotlib.figure import Figure

from winnow.report.axes import error_axis, given_axis
from winnow.report.marks import SPLITS, band_note, draw_epsilon, draw_lines, drawn_values, in_percent
from winnow.report.style import Style, drawing, legend_below, new_figure, note


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
