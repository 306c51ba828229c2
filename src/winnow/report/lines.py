"""Error along the straight line between two networks."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from winnow.report.marks import SPLITS, band_note, draw_spread, error_axis, not_matching, starred, thinned
from winnow.report.spread import spread
from winnow.report.style import Style, drawing, legend_below, new_figure, shorten

MOST_PAIRS = 24
CHORD: dict[str, Any] = {"color": "#444444", "linestyle": (0, (1, 1.5)), "linewidth": 1.1, "zorder": 1.8}


def lines_figure(lines: pd.DataFrame, verdicts: pd.DataFrame, style: Style) -> Figure:
    """One panel per pair of networks: test and train error from a (0) to b (1), mean over replicates and band, and the
    straight line between the ends, over which a barrier is the largest excess.

    ``lines``: one row per point, columns a, b, seed, alpha (0 to 1), split (train or test) and error (0 to 1).
    ``verdicts``: columns level, parent, matching, barrier_to_parent (0 to 1, of the test error) and
    connected_to_parent, the last three NaN if unknown: the barrier is told above a pair of level (b) and parent (a),
    and names of levels that do not match have an asterisk. Where there are more than 24 pairs, so many are shown: see
    ``chosen``.

    Raises ValueError if there is no error.
    """
    shown = lines[lines["split"].isin(SPLITS)].dropna(subset=["error"])
    if shown.empty:
        raise ValueError("no error along a line")
    every = list(dict.fromkeys(zip(shown["a"], shown["b"], strict=True)))
    pairs = chosen(every, verdicts)
    unmatched = not_matching(verdicts)
    given = zip(verdicts["parent"], verdicts["level"], 100 * verdicts["barrier_to_parent"].astype(float), strict=True)
    barrier = {(parent, level): points for parent, level, points in given if np.isfinite(points)}
    columns = min(len(pairs), 4)
    rows = -(-len(pairs) // columns)
    of_pair = {(a, b): shown[(shown["a"] == a) & (shown["b"] == b)] for a, b in pairs}
    with drawing(style):
        figure = new_figure(style, max(2.5 * columns + 0.5, 5.0), 2.1 * rows + 1.0)
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        handles: dict[str, Line2D] = {}
        values = 100 * pd.concat([of_pair[pair]["error"] for pair in pairs]).to_numpy(float)
        for place, axes in enumerate(grid.flat):
            if place >= len(pairs):
                axes.remove()
                continue
            table = of_pair[pairs[place]].assign(percent=100 * of_pair[pairs[place]]["error"])
            for split, look in SPLITS.items():
                means = spread(table[table["split"] == split], "alpha", "percent")
                if len(means):
                    handles[f"{split} images"] = line = draw_spread(
                        axes, means["alpha"].to_numpy(float), means, look, split
                    )
                    line.set_markersize(3)
                    chord = _draw_chord(axes, means, split)
            a, b = (starred(shorten(end, 0.8 * style.growth, style.font_size), end, unmatched) for end in pairs[place])
            number = f": {barrier[pairs[place]]:.2g}" if pairs[place] in barrier else ""
            axes.set_title(f"{a} to {b}{number}")
            error_axis(axes, "Error", values, room=0.16)
            if place % columns:
                axes.set_ylabel("")
            if place + columns >= len(pairs):
                axes.set_xlabel("Place on the line")
                axes.tick_params(labelbottom=True)
        grid.flat[0].set_xlim(-0.03, 1.03)
        grid.flat[0].set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        meaning = []
        if barrier.keys() & set(pairs):
            meaning.append("number: barrier of the test error (points), mean")
        if unmatched & {level for pair in pairs for level in pair}:
            meaning.append("*: not matching")
        if len(pairs) < len(every):
            meaning.append(f"{len(pairs)} of {len(every)} pairs")
        bands = band_note(shown.groupby(["a", "b"])["seed"].nunique())
        head = "\n".join(filter(None, [bands, "; ".join(meaning)]))
        figure.suptitle(head, fontsize=style.small, x=0.01, ha="left")
        handles["straight between the ends"] = chord
        legend_below(figure, list(handles.values()), list(handles), style)
    return figure


def chosen(pairs: list[tuple[str, str]], verdicts: pd.DataFrame, most: int = MOST_PAIRS) -> list[tuple[str, str]]:
    """At most so many pairs, in their order: first those whose second level does not match, or is not connected to its
    parent, the first level; then others; of each kind evenly from first to last."""
    apart = verdicts[verdicts["connected_to_parent"].eq(False)]
    apart_pairs = set(zip(apart["parent"], apart["level"], strict=True))
    unmatched = not_matching(verdicts)
    telling = [pair for pair in pairs if pair in apart_pairs or pair[1] in unmatched]
    kept = thinned(telling, most)
    kept += thinned([pair for pair in pairs if pair not in telling], most - len(kept))
    return [pair for pair in pairs if pair in kept]


def _draw_chord(axes: Axes, means: pd.DataFrame, split: str) -> Line2D:
    """The straight line from the first mean to the last: of many points, as the axis may bend it."""
    alpha, mean = means["alpha"].to_numpy(float), means["mean"].to_numpy(float)
    x = np.linspace(alpha[0], alpha[-1], 65)
    (line,) = axes.plot(x, np.interp(x, alpha[[0, -1]], mean[[0, -1]]), label=f"{split}, straight", **CHORD)
    return line
