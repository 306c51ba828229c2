"""Error against the weights left: after retraining, and right after the cut."""

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from winnow.report.axes import beside, density_axis, error_axis, is_wide
from winnow.report.ladder import line_names
from winnow.report.marks import band_note, draw_lines, drawn_values, epsilon_of, in_percent, moved_note, some_of
from winnow.report.names import name_points
from winnow.report.style import (
    Look,
    Style,
    drawing,
    legend_below,
    looks,
    new_figure,
    note,
    outer_labels,
    panels,
    shorten,
)

DENSE: dict[str, Any] = {"color": "#000000", "linewidth": 1.2, "zorder": 1.5, "label": "dense"}
LOOKS = {
    "after two cuts in a row": Look("#56B4E9", "^", (0, (1, 1))),
    "right after the cut": Look("#E69F00", "s", (0, (6, 1.5))),
    "after retraining": Look("#0072B2", "o", "-"),
}
MOMENTS = dict(zip(("error_after_two_cuts", "error_after_cut", "error"), LOOKS, strict=True))
MOST_LINES = 12
CLOSE = 4  # epsilons above the grey that the closer view shows


def tickets_figure(verdicts: pd.DataFrame, style: Style) -> Figure:
    """Test error of every level against the weights left, one line per variant, rewind point and data.

    ``verdicts``: one row per level, columns level, variant, rewind, data, density, error (the mean), low, high
    (fractions), replicates, epsilon (a fraction, NaN if unknown) and matching. Level "dense" is drawn as a level line,
    and above it a band as high as epsilon. Levels that do not match get a hollow marker, unless one has no verdict. A
    line of one level has the level's name beside it, where there is room.

    Raises ValueError if there is no level.
    """
    if verdicts.empty:
        raise ValueError("no error of a level")
    table = in_percent(
        verdicts.rename(columns={"error": "mean", "replicates": "count"}), "density", "mean", "low", "high"
    )
    dense, sparse = table.loc[table["level"] == "dense", "mean"], table[table["level"] != "dense"]
    sparse = sparse.assign(line=line_names(sparse))
    judged = bool(sparse["matching"].notna().all())
    if judged:
        sparse = sparse.assign(filled=sparse["matching"].astype(bool))
    limits = (float(dense.mean()), float(dense.mean()) + 100 * epsilon_of(verdicts))  # NaN without a dense network
    views = _views(drawn_values(table), limits)
    with drawing(style):
        figure = new_figure(style, (8, 11.5)[len(views) - 1], 5)
        grid = list(figure.subplots(1, len(views), squeeze=False)[0])
        handles: dict[str, Artist] = {}
        for axes, view in zip(grid, views, strict=True):
            density_axis(axes, verdicts["density"])
            moved = beside(axes, sparse, "density") if len(sparse) else sparse.assign(moved=False)
            error_axis(axes, "Test error", view)
            handles |= _draw_levels(axes, moved, all_of_them=view is views[0]) | _draw_dense(axes, limits[0])
            if math.isfinite(limits[1]):
                axes.axhspan(*limits, color="black", alpha=0.1, linewidth=0)
            width, height = figure.get_size_inches()
            alone = moved[~moved["line"].duplicated(keep=False)]
            points = dict(zip(alone["level"], zip(alone["density"], alone["mean"], strict=True), strict=True))
            name_points(axes, points, (width / len(views) - 0.8, height - 1.8), style)
        meaning = "filled: matching" if judged else "which levels match is not known"
        if math.isfinite(limits[1]):
            meaning += f"; grey: up to epsilon ({limits[1] - limits[0]:.2g} points) above the dense error"
        note(grid[0], f"{band_note(table['count'])}{moved_note(moved)}\n{meaning}", style)
        for axes in grid[1:]:
            note(axes, "the same, near the grey", style)
        legend_below(figure, handles, style)
    return figure


def _views(values: np.ndarray, limits: tuple[float, float]) -> list[np.ndarray]:
    """The values that each panel shows: all; and where they span a wide range, a closer view of the lowest."""
    every = np.append(values, limits[1])
    top = limits[1] + CLOSE * (limits[1] - limits[0])
    if math.isfinite(top) and is_wide(every) and 2 * top < np.nanmax(every):  # else it would be the same picture twice
        return [every, np.array([np.nanmin(every), top])]
    return [every]


def _draw_levels(axes: Axes, levels: pd.DataFrame, all_of_them: bool) -> dict[str, Artist]:
    """Every line of levels; or none of a single level out of view, as a stub of its bar would show."""
    low, high = axes.get_ylim()
    alone = ~levels["line"].duplicated(keep=False)
    seen = levels if all_of_them else levels[~alone | levels["mean"].between(low, high)]
    return draw_lines(axes, seen, "density", looks(levels["line"]))


def _draw_dense(axes: Axes, percent: float) -> dict[str, Artist]:
    """The error of the dense networks as a level line, if there are any."""
    return {"dense": axes.axhline(percent, **DENSE)} if math.isfinite(percent) else {}


def cut_errors_figure(errors: pd.DataFrame, style: Style) -> Figure:
    """What a cut costs before and after retraining: one panel per line of levels, test error against the weights left.

    ``errors``: columns level, variant, rewind, data, moment (error_after_cut, error_after_two_cuts or error), density
    (at that moment), mean, low, high (fractions) and count; level "dense" is a level line. Where more than
    12 lines have errors right after a cut, so many are shown.

    Raises ValueError if none has.
    """
    table = in_percent(errors, "density", "mean", "low", "high").assign(moment=errors["moment"].map(MOMENTS))
    dense, sparse = table[table["level"] == "dense"], table[table["level"] != "dense"]
    sparse = sparse.assign(line=line_names(sparse))
    names, more = some_of(sparse["line"][errors["moment"] != "error"], MOST_LINES, "lines")
    if not names:
        raise ValueError("no error right after a cut")
    sparse = sparse[sparse["line"].isin(names)]
    with drawing(style):
        figure, grid = panels(style, len(names), 3, (3.4, 2.7))
        error_axis(grid[0], "Test error", drawn_values(sparse, *dense["mean"]), room=0.13)
        density_axis(grid[0], sparse["density"] / 100)
        handles: dict[str, Artist] = {}
        for axes, name in zip(grid, names, strict=True):
            handles |= draw_lines(axes, sparse[sparse["line"] == name], "density", LOOKS, by="moment")
            handles |= _draw_dense(axes, float(dense["mean"].mean()))
            axes.set_title(shorten(name, 3.0 * style.growth, style.font_size))
        outer_labels(grid)
        note(figure, band_note(sparse["count"]) + more, style)
        legend_below(figure, handles, style)
    return figure
