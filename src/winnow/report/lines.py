"""Error along the straight line between two networks."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from winnow.report.axes import error_axis
from winnow.report.marks import SPLITS, band_note, draw_lines, drawn_values, in_percent, some_of, stars
from winnow.report.style import Style, drawing, legend_below, note, outer_labels, panels, shorten

MOST_PAIRS = 24
CHORD: dict[str, Any] = {"color": "#444444", "linestyle": (0, (1, 1.5)), "linewidth": 1.1, "zorder": 1.8}

Pair = tuple[str, str]


def lines_figure(lines: pd.DataFrame, verdicts: pd.DataFrame, style: Style) -> Figure:
    """One panel per pair of networks: test and train error from a (0) to b (1), mean over replicates and band, and the
    straight line between the ends, over which a barrier is the largest excess.

    ``lines``: columns a, b, split (train or test), alpha (0 to 1), mean, low, high (fractions) and count.
    ``verdicts``: columns level, parent, matching, barrier_to_parent (a fraction, of the test error) and
    connected_to_parent, the last three NaN if unknown: the barrier stands above a pair of level (b) and parent (a),
    and names of levels that do not match have an asterisk. Where there are more than 24 pairs, so many are shown: see
    ``chosen``.

    Raises ValueError if there is no error.
    """
    if lines.empty:
        raise ValueError("no error along a line")
    table = in_percent(lines).assign(line=lines["split"] + " images")
    of_pair = {(str(a), str(b)): rows for (a, b), rows in table.groupby(["a", "b"], sort=False)}
    pairs = chosen(list(of_pair), verdicts)
    values = drawn_values(pd.concat([of_pair[pair] for pair in pairs]))
    ends = zip(verdicts["parent"], verdicts["level"], strict=True)
    barriers = dict(zip(ends, 100 * verdicts["barrier_to_parent"].astype(float), strict=True))
    barriers = {pair: barriers[pair] for pair in pairs if np.isfinite(barriers.get(pair, np.nan))}
    star = stars(verdicts)
    with drawing(style):
        figure, grid = panels(style, len(pairs), 4, (2.5, 2.1))
        error_axis(grid[0], "Error", values, room=0.16)
        handles: dict[str, Artist] = {}
        for axes, pair in zip(grid, pairs, strict=True):
            handles |= draw_lines(axes, of_pair[pair], "alpha", SPLITS)
            for line in axes.lines:
                line.set_markersize(3)
            for name, rows in of_pair[pair].groupby("line"):
                chord = _draw_chord(axes, rows, str(name))
            a, b = (shorten(end, 0.8 * style.growth, style.font_size) + star.get(end, "") for end in pair)
            axes.set_title(f"{a} to {b}" + (f": {barriers[pair]:.2g}" if pair in barriers else ""))
        grid[0].set(xlim=(-0.03, 1.03), xticks=[0, 0.5, 1], xticklabels=["0", "0.5", "1"], xlabel="Place on the line")
        outer_labels(grid)
        meaning = ["number: barrier of the test error (points), mean"] if barriers else []
        meaning += ["*: not matching"] if star.keys() & {level for pair in pairs for level in pair} else []
        meaning += [f"{len(pairs)} of {len(of_pair)} pairs"] if len(pairs) < len(of_pair) else []
        note(figure, f"{band_note(lines['count'])}\n{'; '.join(meaning)}".rstrip(), style)
        legend_below(figure, handles | {"straight between the ends": chord}, style)
    return figure


def chosen(pairs: list[Pair], verdicts: pd.DataFrame, most: int = MOST_PAIRS) -> list[Pair]:
    """At most so many pairs, in their order: first those whose second level does not match, or is not connected to its
    parent, the first level; then others; of each kind evenly from first to last."""
    apart = verdicts[verdicts["connected_to_parent"].eq(False)]
    apart_pairs = set(zip(apart["parent"], apart["level"], strict=True))
    telling = [pair for pair in pairs if pair in apart_pairs or pair[1] in stars(verdicts)]
    kept, _ = some_of(telling, most, "pairs")
    kept += some_of([pair for pair in pairs if pair not in telling], most - len(kept), "pairs")[0]
    return [pair for pair in pairs if pair in kept]


def _draw_chord(axes: Axes, means: pd.DataFrame, name: str) -> Artist:
    """The straight line from the first mean to the last: of many points, as the axis may bend it."""
    alpha, mean = means["alpha"].to_numpy(float), means["mean"].to_numpy(float)
    x = np.linspace(alpha[0], alpha[-1], 65)
    (line,) = axes.plot(x, np.interp(x, alpha[[0, -1]], mean[[0, -1]]), label=f"{name}, straight", **CHORD)
    return line
