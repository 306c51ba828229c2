"""Pruning methods over several settings: accuracy against density, and the checks that tickets pass."""

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from winnow.params.dense import NAME as DENSE
from winnow.report.axes import given_axis
from winnow.report.heatmap import Scale, heat_map
from winnow.report.style import Look, Style, drawing, legend_below, looks, note, outer_labels, panels

OTHERS = "every other method"
MOST = 6  # methods with a look of their own, besides random
BASELINE = "random"
LIMIT = 99.0  # percent of the differences that the colours tell apart


def density_accuracy_figure(changes: pd.DataFrame, dense: pd.DataFrame, shown: list[str], style: Style) -> Figure:
    """Mean test accuracy against the density, a panel for each setting, sparser to the right.

    ``changes``: columns setting, method, density (a fraction, as asked for) and accuracy; ``dense``: columns setting
    and accuracy, of the dense networks, a level line. ``shown``: the methods that get a look of their own, the first
    ``MOST`` of them; random has one in any case, and all others are thin grey lines.
    """
    named = [name for name in shown if name != BASELINE][:MOST]
    look_of = looks([BASELINE, DENSE, *named])
    settings = list(changes["setting"].unique())
    with drawing(style):
        figure, grid = panels(style, len(settings), 3, (4.6, 3.8))
        handles: dict[str, Artist] = {}
        for axes, setting in zip(grid, settings, strict=True):
            own = changes[changes["setting"] == setting]
            given_axis(axes, [float(f"{100 * density:.2g}") for density in own["density"]])
            axes.invert_xaxis()
            look = look_of[DENSE]
            level = 100 * dense.loc[dense["setting"] == setting, "accuracy"].mean()
            handles[DENSE] = axes.axhline(level, color=look.color, linestyle=look.line)
            for method, rows in own.groupby("method", sort=False):
                handles |= _line(axes, str(method), rows.sort_values("density"), look_of)
            axes.set_title(setting, loc="right")
        grid[0].set(xlabel="Weights left (%)", ylabel="Test accuracy (%)")
        outer_labels(grid)
        note(figure, "mean over all networks", style)
        order = [name for name in (DENSE, BASELINE, *named, OTHERS) if name in handles]
        legend_below(figure, {name: handles[name] for name in order}, style)
    return figure


def _line(axes: Axes, method: str, rows: pd.DataFrame, look_of: dict[str, Look]) -> dict[str, Artist]:
    points = 100 * rows["density"], 100 * rows["accuracy"]
    if method not in look_of:
        (line,) = axes.plot(*points, color="#bbbbbb", linewidth=0.7, zorder=1.2, label=f"_{method}")
        return {OTHERS: line}
    look = look_of[method]
    (line,) = axes.plot(*points, color=look.color, marker=look.marker, linestyle=look.line, label=method)
    return {method: line}


def checks_figure(checked: pd.DataFrame, order: list[str], style: Style) -> Figure:
    """A heat map of what tickets gain over their checks: a row for each method, in this order, a column for each check
    and density, means over the settings.

    ``checked``: columns method, density, check and difference (a fraction, drawn in percentage points). Colours end at
    the size that 99 of 100 differences do not exceed. Raises ValueError if there is no check.
    """
    if checked.empty:
        raise ValueError("no check of a ticket")
    names = checked["check"] + " " + (100 * checked["density"]).map("{:.2g}%".format)
    points = checked.assign(points=100 * checked["difference"], column=names)
    table = points.pivot_table(index="method", columns="column", values="points", sort=False)
    ordered = checked.assign(column=names).sort_values(["check", "density"], ascending=[True, False], kind="stable")
    table = table.loc[[name for name in order if name in table.index], list(dict.fromkeys(ordered["column"]))]
    top = max(float(np.nanpercentile(np.abs(table.to_numpy()), LIMIT)), 0.1)
    scale = Scale(Normalize(-top, top), "points over the check", np.linspace(-top, top, 5).round(1), "{:.1f}".format)
    with drawing(style):
        figure, axes = heat_map(table, scale, style)
        note(
            axes, "test accuracy of the ticket minus that of its check,\nin points, mean over settings and seeds", style
        )
    return figure
