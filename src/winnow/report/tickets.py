"""Error against the weights left: after retraining, and right after the cut."""

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from winnow.report.ladder import line_names
from winnow.report.marks import (
    MOVED,
    band_note,
    dodges,
    draw_spread,
    epsilon_of,
    error_axis,
    is_wide,
    left_axis,
    thinned,
)
from winnow.report.names import name_points
from winnow.report.spread import spread
from winnow.report.style import Look, Style, drawing, legend_below, looks, new_figure, note, shorten

DENSE = looks(["full"])["full"]
MOMENTS = {
    "error_after_two_cuts": ("after two cuts in a row", Look("#56B4E9", "^", (0, (1, 1)))),
    "error_after_cut": ("right after the cut", Look("#E69F00", "s", (0, (6, 1.5)))),
    "error": ("after retraining", Look("#0072B2", "o", "-")),
}
MOST_LINES = 12
CLOSE = 4  # epsilons above the grey that the closer view shows


def tickets_figure(tickets: pd.DataFrame, verdicts: pd.DataFrame, style: Style, split: str = "test") -> Figure:
    """Error of every level against the share of the weights left, one line per variant, rewind point and data.

    ``tickets``: one row per trained network, columns level, variant, rewind, data, seed, split, left and error (both 0
    to 1); rows of other splits are left out. Level "dense" is drawn as a level line, and above it a band as high as
    epsilon. ``verdicts``: columns level, matching and epsilon (0 to 1, NaN if unknown): levels that do not match get a
    hollow marker, unless one has no verdict. A line of one level has the level's name beside it, where there is room.

    Raises ValueError if no row is of that split.
    """
    shown = _of_split(tickets, split)
    sparse = shown[shown["level"] != "dense"]
    sparse = sparse.assign(line=line_names(sparse))
    known = verdicts.dropna(subset=["matching"])
    matching = dict(zip(known["level"], known["matching"].astype(bool), strict=True))
    judged = sparse["level"].isin(matching).all()
    epsilon = 100 * epsilon_of(verdicts)
    look_of = looks(sparse["line"])
    of_line = {line: _by_left(sparse[sparse["line"] == line], "percent") for line in look_of}
    dense = shown.loc[shown["level"] == "dense", "percent"]
    limit = float(dense.mean()) + epsilon  # NaN without a dense network
    drawn = np.append(shown["percent"].to_numpy(float), limit)
    views = [drawn]
    top = limit + CLOSE * epsilon
    if math.isfinite(limit) and is_wide(drawn) and 2 * top < drawn.max():  # else it would be the same picture twice
        views.append(np.array([drawn[drawn <= top].min(), top]))
    with drawing(style):
        figure = new_figure(style, (8, 11.5)[len(views) - 1], 5)
        panels = figure.subplots(1, len(views), squeeze=False)[0]
        handles: dict[str, Line2D] = {}
        for axes, view in zip(panels, views, strict=True):
            left_axis(axes, shown["left"])
            moved = dodges(axes, {line: 100 * levels["left"].to_numpy(float) for line, levels in of_line.items()})
            error_axis(axes, f"{split.capitalize()} error", view)
            low, high = axes.get_ylim()
            for line, levels in of_line.items():
                if len(levels) == 1 and line in handles and not low <= levels["mean"].iloc[0] <= high:
                    continue  # of its bar, a stub would be seen
                filled = np.array([matching[level] for level in levels["level"]], bool) if judged else None
                x = 100 * moved[line] * levels["left"].to_numpy(float)
                handles[line] = draw_spread(axes, x, levels, look_of[line], line, filled)
            if len(dense):
                handles["dense"] = _draw_dense(axes, float(dense.mean()))
            if math.isfinite(limit):
                axes.axhspan(float(dense.mean()), limit, color="black", alpha=0.1, linewidth=0)
            width, height = figure.get_size_inches()
            singles = [(line, levels.iloc[0]) for line, levels in of_line.items() if len(levels) == 1]
            points = {row["level"]: (100 * moved[line] * row["left"], row["mean"]) for line, row in singles}
            name_points(axes, points, (width / len(views) - 0.8, height - 1.8), style)
        meaning = "filled: matching" if judged else "which levels match is not known"
        if math.isfinite(limit):
            meaning += f"; grey: up to epsilon ({epsilon:.2g} points) above the dense error"
        bands = band_note(shown.groupby("level")["seed"].nunique())
        bands += MOVED if {*moved.values()} - {1.0} else ""
        note(panels[0], f"{bands}\n{meaning}", style)
        for axes in panels[1:]:
            note(axes, "the same, near the grey", style)
        legend_below(figure, list(handles.values()), list(handles), style)
    return figure


def cut_errors_figure(tickets: pd.DataFrame, style: Style, split: str = "test") -> Figure:
    """What a cut costs before and after retraining: one panel per line of levels, error against the weights left.

    ``tickets``: as in ``tickets_figure``, with error_after_cut (of the parent's weights right after the cut) and
    error_after_two_cuts (after cutting the same share again, so that it is drawn at the level's share left times its
    share of the parent's). Where there are more than 12 lines, so many are shown.

    Raises ValueError if no row of that split has an error right after a cut.
    """
    shown = _of_split(tickets, split)
    sparse = shown[shown["level"] != "dense"]
    sparse = sparse.assign(line=line_names(sparse))
    cut = sparse[["error_after_cut", "error_after_two_cuts"]].notna().any(axis=1)
    every = list(dict.fromkeys(sparse.loc[cut, "line"]))
    if not every:
        raise ValueError(f"no error right after a cut of split {split!r}")
    names = thinned(every, MOST_LINES)
    sparse = sparse[sparse["line"].isin(names)]
    sparse = sparse.assign(left_after_two_cuts=_left_after_two_cuts(sparse, shown))
    dense = shown.loc[shown["level"] == "dense", "percent"]
    columns = min(len(names), 3)
    rows = -(-len(names) // columns)
    with drawing(style):
        figure = new_figure(style, max(3.4 * columns + 0.4, 5.5), 2.7 * rows + 1.0)
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        handles: dict[str, Line2D] = {}
        values = 100 * sparse[list(MOMENTS)].to_numpy(float)
        for place, axes in enumerate(grid.flat):
            if place >= len(names):
                axes.remove()
                continue
            of_line = sparse[sparse["line"] == names[place]]
            for column, (title, look) in MOMENTS.items():
                left = of_line["left_after_two_cuts" if column == "error_after_two_cuts" else "left"]
                lines = _by_left(of_line.assign(percent=100 * of_line[column], left=left), "percent")
                if len(lines):
                    handles[title] = draw_spread(axes, 100 * lines["left"].to_numpy(float), lines, look, title)
            if len(dense):
                handles["dense"] = _draw_dense(axes, float(dense.mean()))
            axes.set_title(shorten(names[place], 3.0 * style.growth, style.font_size))
        lefts = [*sparse["left"], *sparse["left_after_two_cuts"][sparse["error_after_two_cuts"].notna()]]
        _outer_labels(grid, len(names), f"{split.capitalize()} error", np.append(values, dense), lefts)
        meaning = [band_note(sparse.groupby(["line", "level"])["seed"].nunique())]
        if len(names) < len(every):
            meaning.append(f"{len(names)} of {len(every)} lines")
        figure.suptitle("; ".join(meaning), fontsize=style.small, x=0.01, ha="left")
        legend_below(figure, list(handles.values()), list(handles), style)
    return figure


def _of_split(tickets: pd.DataFrame, split: str) -> pd.DataFrame:
    shown = tickets[tickets["split"] == split].dropna(subset=["error"])
    if shown.empty:
        raise ValueError(f"no error of split {split!r}")
    return shown.assign(percent=100 * shown["error"])


def _left_after_two_cuts(rows: pd.DataFrame, networks: pd.DataFrame) -> np.ndarray:
    """The share left after each row's cut was made twice, from that of its parent, a row of ``networks``."""
    left = networks.set_index(["level", "seed"])["left"]
    of_parent = left.reindex(pd.MultiIndex.from_frame(rows[["parent", "seed"]])).to_numpy(float)
    return rows["left"].to_numpy(float) ** 2 / of_parent


def _by_left(rows: pd.DataFrame, value: str) -> pd.DataFrame:
    """Mean and spread of each level, and its mean share left, by falling share."""
    left = rows.groupby("level")["left"].mean().reset_index()
    return spread(rows, "level", value).merge(left, on="level").sort_values("left", ascending=False)


def _draw_dense(axes: Axes, percent: float) -> Line2D:
    return axes.axhline(percent, color=DENSE.color, linestyle=DENSE.line, linewidth=1.2, zorder=1.5, label="dense")


def _outer_labels(grid: np.ndarray, panels: int, name: str, values: np.ndarray, left: Iterable[float]) -> None:
    """Axes shared by all panels of a grid, named at its left side and below the lowest panel of each column."""
    columns = grid.shape[1]
    for place, axes in enumerate(grid.flat[:panels]):
        error_axis(axes, name, values, room=0.13)
        left_axis(axes, left)
        lowest = place + columns >= panels
        axes.tick_params(labelbottom=lowest)
        if not lowest:
            axes.set_xlabel("")
        if place % columns:
            axes.set_ylabel("")
