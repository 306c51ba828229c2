"""Which levels are linearly connected: successive ones against matching, and every two of them."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from winnow.report.axes import beside, density_axis, error_axis, root_ticks
from winnow.report.heatmap import Scale, heat_map
from winnow.report.ladder import line_names
from winnow.report.marks import band_note, draw_epsilon, draw_lines, drawn_values, in_percent, moved_note, span, stars
from winnow.report.style import Style, drawing, legend_below, looks, new_figure, note

LOW_BARRIER = 5.0  # percentage points; the colours reach at least so far, so that small barriers look small


def connectivity_figure(pairs: pd.DataFrame, counts: Mapping[str, int], epsilon: float, style: Style) -> Figure:
    """Barrier between every level and its parent against the weights left, and how many pairs are connected.

    ``pairs``: one row per level, columns variant, rewind, data, density, mean, low, high (of the barrier, fractions),
    count and both_match. ``counts``: how many pairs there are, such as {"connected, both match": 3}. ``epsilon``: a
    fraction, NaN if unknown.

    Raises ValueError if there is no pair.
    """
    if pairs.empty:
        raise ValueError("no level has a barrier to its parent")
    lines = in_percent(pairs, "density", "mean", "low", "high")
    lines = lines.assign(line=line_names(pairs), filled=pairs["both_match"].astype(bool))
    with drawing(style):
        figure = new_figure(style, 10, 4.8)
        axes, table = figure.subplots(1, 2, width_ratios=(3.4, 1))
        density_axis(axes, pairs["density"])
        lines = beside(axes, lines, "density")
        handles = draw_lines(axes, lines, "density", looks(lines["line"]))
        limit = draw_epsilon(axes, epsilon)
        name = "Barrier of the test error to the parent"
        error_axis(axes, name, drawn_values(lines, 100 * epsilon), "points", from_zero=True)
        meaning = f"filled: level and parent both match; hollow: not both{limit}"
        note(axes, f"{band_note(lines['count'])}{moved_note(lines)}\n{meaning}", style)
        _draw_counts(table, counts, style)
        legend_below(figure, handles, style)
    return figure


def _draw_counts(axes: Axes, counts: Mapping[str, int], style: Style) -> None:
    axes.grid(visible=False)
    cells = np.array([[counts[f"{is_}, {do}"] for is_ in ("connected", "not connected")]
                      for do in ("both match", "not both match")])  # fmt: skip
    shades = LinearSegmentedColormap.from_list("counts", ["white", "#9ecae1"])
    axes.imshow(cells, cmap=shades, vmin=0, vmax=max(1, cells.max()), extent=(0, 2, 2, 0))
    for (row, column), count in np.ndenumerate(cells):
        if row != column:
            axes.add_patch(Rectangle((column, row), 1, 1, facecolor="none", edgecolor="#bbbbbb", hatch="//"))
        box = {"facecolor": "white", "edgecolor": "none", "pad": 2, "alpha": 0.8}
        size = 1.6 * style.font_size
        axes.text(column + 0.5, row + 0.5, f"{count:,}", ha="center", va="center", fontsize=size, bbox=box)
    axes.set_xticks([0.5, 1.5], ["connected", "not"])
    axes.set_yticks([0.5, 1.5], ["both\nmatch", "not\nboth"])
    axes.tick_params(length=0)
    note(axes, "pairs of level and parent\nhatched: none if connected\nif and only if both match", style)


def barrier_matrix_figure(barriers: pd.DataFrame, verdicts: pd.DataFrame, style: Style) -> Figure:
    """A heat map of the barriers of the test error between every two levels, in percentage points.

    ``barriers``: one row per pair, columns a, b, mean (over replicates, a fraction) and count, a before b in the order
    of the axes. ``verdicts``: columns level and matching; the names of levels that do not match have an asterisk, as 0
    between two bad networks means nothing.

    Raises ValueError if no two levels have a barrier.
    """
    if barriers.empty:
        raise ValueError("no barrier between two levels")
    levels = list(dict.fromkeys([*barriers["a"], *barriers["b"]]))
    matrix = 100 * barriers.pivot(index="b", columns="a", values="mean").reindex(levels[1:], columns=levels[:-1])
    high = float(np.nanmax(matrix, initial=LOW_BARRIER))
    titles = {level: level + stars(verdicts).get(level, "") for level in levels}
    label = "Barrier of the test error\n(points, square-root scale)"
    scale = Scale(PowerNorm(0.5, vmin=0, vmax=high), label, root_ticks(high, room=0.12), _points)
    above = np.triu(np.ones(matrix.shape, bool), 1)
    with drawing(style):
        figure, axes = heat_map(matrix.rename(index=titles, columns=titles), scale, style, above)
        meaning = [f"mean of {span(barriers['count'])}" if barriers["count"].max() > 1 else "one seed"]
        meaning += ["hatched: not computed"] if (matrix.isna() & ~above).any(axis=None) else []
        unmatched = "\n*: not matching" if stars(verdicts).keys() & set(levels) else ""
        note(axes, "; ".join(meaning) + unmatched, style)
    return figure


def _points(value: float) -> str:
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"
