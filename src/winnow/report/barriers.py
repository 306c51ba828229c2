"""Which levels are linearly connected: successive ones against matching, and every two of them."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from winnow.report.heatmap import heat_map
from winnow.report.ladder import line_names
from winnow.report.marks import (
    MOVED,
    band_note,
    dodges,
    draw_epsilon,
    draw_spread,
    epsilon_of,
    error_axis,
    left_axis,
    not_matching,
    root_ticks,
    starred,
)
from winnow.report.spread import span, spread
from winnow.report.style import Style, drawing, legend_below, looks, new_figure, note

LOW_BARRIER = 5.0  # percentage points; the colours reach at least so far, so that small barriers look small


def connectivity_figure(verdicts: pd.DataFrame, barriers: pd.DataFrame, style: Style, split: str = "test") -> Figure:
    """Barrier between every level and its parent against the weights left, and how many pairs are connected.

    ``verdicts``: one row per level, columns level, parent, variant, rewind, data, left (0 to 1), matching, epsilon (0
    to 1, NaN if unknown), barrier_to_parent (0 to 1; levels without one are left out) and connected_to_parent.
    ``barriers``: one row per pair, replicate and split, columns a, b, seed, split and barrier (0 to 1), for the spread;
    of pairs that it does not hold, the mean of ``verdicts`` is drawn alone.

    Raises ValueError if no level has a barrier to its parent.
    """
    pairs = matched_pairs(verdicts).drop(columns=["low", "high"], errors="ignore")  # those of the errors
    pairs = pairs.assign(line=line_names(pairs))
    epsilon = epsilon_of(verdicts)
    single = barriers[barriers["split"] == split]
    ends = pd.concat([single, single.rename(columns={"a": "b", "b": "a"})])
    ends = ends.assign(level=ends["b"], percent=100 * ends["barrier"])
    own = ends.merge(pairs[["level", "parent"]], on="level").query("a == parent")
    bands = spread(own, "level", "percent").drop(columns="mean")
    pairs = pairs.merge(bands, on="level", how="left")
    pairs = pairs.assign(mean=100 * pairs["barrier_to_parent"].astype(float))
    pairs = pairs.assign(count=pairs["count"].fillna(1)).sort_values("left", ascending=False)
    look_of = looks(line_names(verdicts[verdicts["level"].isin(pairs["level"])]))
    with drawing(style):
        figure = new_figure(style, 10, 4.8)
        axes, table = figure.subplots(1, 2, width_ratios=(3.4, 1))
        handles: dict[str, Line2D] = {}
        left_axis(axes, pairs["left"].to_numpy(float))
        of_line = {line: pairs[pairs["line"] == line] for line in look_of}
        moved = dodges(axes, {line: 100 * rows["left"].to_numpy(float) for line, rows in of_line.items()})
        for line, rows in of_line.items():
            x, filled = 100 * moved[line] * rows["left"].to_numpy(float), rows["both_matching"].to_numpy(bool)
            handles[line] = draw_spread(axes, x, rows, look_of[line], line, filled)
        draw_epsilon(axes, epsilon)
        error_axis(
            axes,
            f"Barrier of the {split} error to the parent",
            [*pairs["mean"], *pairs["high"], 100 * epsilon],
            "points",
            from_zero=True,
        )
        meaning = band_note(pairs["count"])
        meaning += MOVED if {*moved.values()} != {1.0} else ""
        limit = f"; dashed: epsilon ({100 * epsilon:.2g} points)" if math.isfinite(epsilon) else ""
        note(axes, f"{meaning}\nfilled: level and parent both match; hollow: not both{limit}", style)
        _draw_counts(table, connectivity_counts(verdicts), style)
        legend_below(figure, list(handles.values()), list(handles), style)
    return figure


def matched_pairs(verdicts: pd.DataFrame) -> pd.DataFrame:
    """The levels that have a barrier to their parent, with a column both_matching: whether the two match; the dense
    network does.

    Raises ValueError if there is none, or no verdict on whether one is connected or it or its parent matches.
    """
    pairs = verdicts[verdicts["barrier_to_parent"].notna()]
    if pairs.empty:
        raise ValueError("no level has a barrier to its parent")
    known = verdicts.dropna(subset=["matching"])
    matching = {**dict(zip(known["level"], known["matching"].astype(bool), strict=True)), "dense": True}
    unknown = {*pairs["level"], *pairs["parent"]} - set(matching)
    if unknown := unknown | {*pairs["level"][pairs["connected_to_parent"].isna()]}:
        raise ValueError(f"no verdict on level {sorted(unknown)[0]!r}")
    both = [matching[level] and matching[parent] for level, parent in zip(pairs["level"], pairs["parent"], strict=True)]
    return pairs.assign(both_matching=both)


def connectivity_counts(verdicts: pd.DataFrame) -> np.ndarray:
    """How many pairs of level and parent there are, int [2, 2]: both matching or not, by connected or not."""
    pairs = matched_pairs(verdicts).drop(columns=["low", "high"], errors="ignore")  # those of the errors
    both, connected = pairs["both_matching"].to_numpy(bool), pairs["connected_to_parent"].to_numpy(bool)
    return np.array([[int((m & c).sum()) for c in (connected, ~connected)] for m in (both, ~both)])


def _draw_counts(axes: Axes, counts: np.ndarray, style: Style) -> None:
    axes.grid(visible=False)
    shades = LinearSegmentedColormap.from_list("counts", ["white", "#9ecae1"])
    axes.imshow(counts, cmap=shades, vmin=0, vmax=max(1, int(counts.max())), extent=(0, 2, 2, 0))
    for (row, column), count in np.ndenumerate(counts):
        if row != column:
            axes.add_patch(Rectangle((column, row), 1, 1, facecolor="none", edgecolor="#bbbbbb", hatch="//"))
        box = {"facecolor": "white", "edgecolor": "none", "pad": 2, "alpha": 0.8}
        size = 1.6 * style.font_size
        axes.text(column + 0.5, row + 0.5, f"{count:,}", ha="center", va="center", fontsize=size, bbox=box)
    axes.set_xticks([0.5, 1.5], ["connected", "not"])
    axes.set_yticks([0.5, 1.5], ["both\nmatch", "not\nboth"])
    axes.tick_params(length=0)
    note(axes, "pairs of level and parent\nhatched: none if connected\nif and only if both match", style)


def barrier_matrix_figure(
    barriers: pd.DataFrame, levels: Sequence[str], verdicts: pd.DataFrame, style: Style, split: str = "test"
) -> Figure:
    """A heat map of the barriers between every two levels, mean over replicates, in percentage points.

    ``barriers``: one row per pair, replicate and split, columns a, b, split and barrier (0 to 1), in either order;
    ``levels``: names of levels in the order of the axes; those without a barrier are left out. ``verdicts``: columns
    level and matching; the names of levels that do not match have an asterisk, as 0 between two bad networks is no
    success.

    Raises ValueError if no two of the levels have a barrier of that split.
    """
    rows = barriers[(barriers["split"] == split) & barriers["a"].isin(levels) & barriers["b"].isin(levels)]
    rows = rows[rows["a"] != rows["b"]].dropna(subset=["barrier"])
    if rows.empty:
        raise ValueError(f"no barrier of split {split!r} between two levels")
    names = [level for level in dict.fromkeys(levels) if level in {*rows["a"], *rows["b"]}]
    place = {name: i for i, name in enumerate(names)}
    matrix = np.full((len(names), len(names)), np.nan)
    first, second = (rows[end].map(place).to_numpy(int) for end in ("a", "b"))
    rows = rows.assign(row=np.maximum(first, second), column=np.minimum(first, second))
    means = rows.groupby(["row", "column"], as_index=False)["barrier"].mean()
    matrix[means["row"], means["column"]] = 100 * means["barrier"]
    lower = matrix[1:, :-1]
    high = float(np.nanmax(lower, initial=LOW_BARRIER))
    unmatched = not_matching(verdicts)
    titles = [starred(name, name, unmatched) for name in names]
    with drawing(style):
        figure, axes = heat_map(
            lower,
            titles[1:],
            titles[:-1],
            PowerNorm(0.5, vmin=0, vmax=high),
            style,
            number=lambda value: f"{value:.1f}" if value < 9.95 else f"{value:.0f}",
            bar_label=f"Barrier of the {split} error\n(points, square-root scale)",
            bar_ticks=root_ticks(high, room=0.12),
            blank=np.triu(np.ones(lower.shape, bool), 1),
        )
        seeds = rows.groupby(["row", "column"]).size()
        meaning = f"mean of {span(seeds)}" if seeds.max() > 1 else "one seed"
        if np.isnan(lower[np.tril_indices(len(lower))]).any():
            meaning += "; hatched: not computed"
        if titles != names:
            meaning += "\n*: not matching"
        note(axes, meaning, style)
    return figure
