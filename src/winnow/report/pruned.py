"""Pruning methods over several settings: accuracy against density and against cost, errors before and after
retraining, and the checks that tickets pass."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from winnow.analysis.pruned import frontier
from winnow.params.dense import NAME as DENSE
from winnow.report.axes import PLAIN, error_axis
from winnow.report.heatmap import Scale, heat_map
from winnow.report.methods import accuracy_panels
from winnow.report.names import name_points
from winnow.report.style import GREY, Style, drawing, new_figure, note

PANEL = (4.6, 3.8)  # inches
LIMIT = 99.0  # percent of the differences that the colours tell apart


def density_accuracy_figure(results: pd.DataFrame, shown: list[str], style: Style) -> Figure:
    """Test accuracy against the density, a panel for each setting, sparser to the right: see
    ``methods.accuracy_panels``.

    ``results``: one row per network, columns setting, method, check, density (a fraction, as asked for) and accuracy;
    the dense networks are a level line, and checks are left out.
    """
    tickets = results[results["check"] == ""].rename(columns={"density": "fraction"})
    return accuracy_panels(tickets, (DENSE, DENSE), shown, "Weights left (%)", style, falling=True)


def cost_accuracy_figure(changes: pd.DataFrame, style: Style) -> Figure:
    """Mean test accuracy against the cost of training, a row of panels for each setting, a panel for each density; a
    line joins the methods for which no other is cheaper and as accurate, or as cheap and more accurate.

    ``changes``: columns setting, method, density and accuracy (fractions) and cost (in trainings of a dense network);
    methods that train nothing are left out. Raises ValueError if that leaves none.
    """
    shown = changes[changes["cost"] > 0].assign(accuracy=lambda rows: 100 * rows["accuracy"])
    if shown.empty:
        raise ValueError("no method that trains")
    with drawing(style):
        figure, grid = _grid(shown, style)
        for (setting, density), axes in grid.items():
            own = shown[(shown["setting"] == setting) & (shown["density"] == density)].set_index("method")
            best = frontier(own.reset_index())
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.xaxis.set_major_formatter(PLAIN)
            axes.minorticks_off()
            axes.plot(own["cost"][best], own["accuracy"][best], color=GREY, drawstyle="steps-post", linewidth=1)
            _points(axes, own, best, "cost", "accuracy", style)
            axes.set(xlabel="Training, in dense trainings", ylabel="Test accuracy (%)")
        note(figure, "mean over all networks; training: the weights that are there, summed over all steps behind the "
             "ticket; grey line: nothing is cheaper and better", style)  # fmt: skip
    return figure


def before_after_figure(networks: pd.DataFrame, style: Style) -> Figure:
    """Test error after retraining against that right after the cut, a row of panels for each setting, a panel for each
    density: a point for each method, its mean over networks, open for whole channels.

    ``networks``: of ``analysis.before_after``: columns setting, density, method, channels, before and after
    (fractions). Raises ValueError if there is none.
    """
    if networks.empty:
        raise ValueError("no methods whose errors before and after retraining can be compared")
    keys = ["setting", "density", "method", "channels"]
    means = networks.groupby(keys, sort=False)[["before", "after"]].mean().mul(100).reset_index()
    with drawing(style):
        figure, grid = _grid(means, style)
        for (setting, density), axes in grid.items():
            own = means[(means["setting"] == setting) & (means["density"] == density)].set_index("method")
            error_axis(axes, "Test error after retraining", own["after"])
            _points(axes, own, list(own.index), "before", "after", style)
            axes.set_xlabel("Test error right after the cut (%)")
        open_ones = "; open: whole channels" if means["channels"].any() else ""
        note(figure, f"mean over all networks, of methods that differ in the cut alone{open_ones}", style)
    return figure


def _grid(points: pd.DataFrame, style: Style) -> tuple[Figure, dict[tuple[str, float], Axes]]:
    """A panel for each setting, a row, and density, falling, that have points."""
    settings, densities = list(points["setting"].unique()), sorted(points["density"].unique(), reverse=True)
    figure = new_figure(style, PANEL[0] * len(densities) + 0.3, PANEL[1] * len(settings) + 0.3)
    cells = figure.subplots(len(settings), len(densities), squeeze=False)
    there = set(points[["setting", "density"]].itertuples(index=False, name=None))
    found = {}
    for row, setting in enumerate(settings):
        for column, density in enumerate(densities):
            if (setting, density) in there:
                found[setting, density] = cells[row, column]
                cells[row, column].set_title(f"{setting}, {100 * density:g}% left", loc="right")
            else:
                cells[row, column].remove()
    return figure, found


def _points(axes: Axes, own: pd.DataFrame, first: Sequence[str], x: str, y: str, style: Style) -> None:
    """Draw the points of methods, and name as many as have room, those of ``first`` before the others."""
    channels = own["channels"] if "channels" in own else pd.Series(False, own.index)
    for whole, color in ((False, "black"), (True, "white")):
        some = own[channels == whole]
        axes.plot(some[x], some[y], linestyle="", marker="o", color=color, markeredgecolor="black", markersize=4)
    axes.margins(0.08)
    axes.autoscale_view(scaley=axes.get_autoscaley_on())  # now, as names need their places
    names = [*first, *(name for name in own.index if name not in first)]
    name_points(
        axes, {str(name): (own[x][name], own[y][name]) for name in names}, (PANEL[0] - 0.8, PANEL[1] - 0.8), style
    )


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
