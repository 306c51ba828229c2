"""Accuracy on targets, after fine-tuning, of networks that were retrained on subsets of the pool."""

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from winnow.report.marks import band_note, draw_levels, draw_lines, in_percent, some_of
from winnow.report.style import GREY, Look, Style, drawing, legend_below, looks, note, outer_labels, panels

MOST = 9  # panels
LEVELS = {"full": "all of the pool", "fresh": "none of the pool"}
NONE_OF_IT = Look(GREY, "", ":")


def target_figure(bands: pd.DataFrame, style: Style) -> Figure:
    """A panel for each target: accuracy on it against the fraction of the pool that the networks were retrained on, a
    line for each method; all of the pool and none of it are level lines.

    ``bands``: columns target, method, fraction, mean, low, high and count (of seeds). At most 9 panels are drawn,
    evenly spread. Raises ValueError if there is no row.
    """
    if bands.empty:
        raise ValueError("no target")
    bands = in_percent(bands, "mean", "low", "high", "fraction")
    groups = {str(target): rows for target, rows in bands.groupby("target", sort=False)}
    shown, more = some_of(groups, MOST, "targets")
    methods = [name for name in dict.fromkeys(bands["method"]) if name not in LEVELS]
    look_of = looks(["random", *methods, "full"])
    with drawing(style):
        figure, grid = panels(style, len(shown), 3, (4.4, 3.4))
        handles: dict[str, Artist] = {}
        for axes, target in zip(grid, shown, strict=True):
            rows = groups[target]
            handles |= draw_lines(axes, rows, "fraction", {name: look_of[name] for name in methods}, by="method")
            levels = rows[rows["method"].isin(LEVELS)].assign(line=rows["method"].map(LEVELS))
            handles |= draw_levels(axes, levels, {LEVELS["full"]: look_of["full"], LEVELS["fresh"]: NONE_OF_IT})
            axes.set_title(target)
        grid[0].set(xlabel="Fraction of the pool kept (%)", ylabel="Accuracy on the target (%)")
        outer_labels(grid)
        note(figure, f"{band_note(bands['count'])}{more}", style)
        legend_below(figure, handles, style)
    return figure
