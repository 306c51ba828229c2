"""When trainings would have stopped early, and with what error, against the weights left."""

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from winnow.analysis.spread import spread
from winnow.report.axes import beside, density_axis, error_axis
from winnow.report.ladder import line_names
from winnow.report.marks import band_note, draw_lines, drawn_values, in_percent, moved_note
from winnow.report.style import Style, drawing, legend_below, looks, new_figure, note
from winnow.report.tickets import DENSE


def early_stopping_figure(stopping: pd.DataFrame, style: Style) -> Figure:
    """On the left the step with the lowest validation loss, on the right the test error at that step, both against the
    weights left, one line per variant, rewind point and data.

    ``stopping``: one row per network, columns level, variant, rewind, data, density, seed, step and error (a fraction).
    Level "dense" is drawn as a level line. Raises ValueError if there is no row.
    """
    if stopping.empty:
        raise ValueError("no step of early stopping")
    by = ["level", "variant", "rewind", "data"]
    density = stopping.groupby("level")["density"].mean()
    with drawing(style):
        figure = new_figure(style, 11.5, 5)
        grid = list(figure.subplots(1, 2))
        handles: dict[str, Artist] = {}
        for axes, column in zip(grid, ("step", "error"), strict=True):
            means = spread(stopping, by, column)
            table = in_percent(means.assign(density=means["level"].map(density)), "density")
            if column == "error":
                table = in_percent(table, "mean", "low", "high")
            dense, sparse = table.loc[table["level"] == "dense", "mean"], table[table["level"] != "dense"]
            density_axis(axes, stopping["density"])
            sparse = sparse.assign(line=line_names(sparse))
            moved = beside(axes, sparse, "density") if len(sparse) else sparse.assign(moved=False)
            if column == "error":
                error_axis(axes, "Test error at early stopping", drawn_values(table))
            else:
                axes.set_ylabel("Step of early stopping")
                axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
            handles |= draw_lines(axes, moved, "density", looks(moved["line"]))
            if len(dense):
                handles |= {"dense": axes.axhline(float(dense.mean()), **DENSE)}
        note(
            grid[0], f"{band_note(table['count'])}{moved_note(moved)}\nthe step with the lowest validation loss", style
        )
        note(grid[1], "training itself went on to its end", style)
        legend_below(figure, handles, style)
    return figure
