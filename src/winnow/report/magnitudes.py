"""How large the surviving weights are: before a cut, right after it, and after retraining."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator

from winnow.report.axes import PLAIN, ticks_within
from winnow.report.marks import in_percent, some_of
from winnow.report.style import LINES, Style, drawing, legend_below, note, outer_labels, panels, shorten

MOST_LEVELS = 24
LEAST = 0.2  # percent of a histogram's weights that a bin holds at its highest, for the axis to reach it
LOOKS: dict[str, dict[str, Any]] = {
    "before": {"facecolor": "#dddddd", "edgecolor": "#999999", "linewidth": 0.6},
    "after": {"color": "#0072B2", "linewidth": 1.3, "linestyle": LINES[0]},
    "retrained": {"color": "#D55E00", "linewidth": 1.3, "linestyle": LINES[1]},
}
NAMES = ("before the cut", "right after the cut", "after retraining")


def magnitudes_figure(histograms: pd.DataFrame, style: Style) -> Figure:
    """One panel per level: histograms of |w| on a logarithmic axis, each in percent of its own weights: the few that
    are left after a large cut would not be seen beside all those before it. The pruned fraction stands above.

    ``histograms``: columns level, moment (before, after or retrained), low and high (edges of a bin of |w|, the lowest
    from 0), fraction (of the moment's weights in the bin) and cut (fraction of the level's weights before; NaN if not
    known). The bin from 0 stands at the left, as wide as its neighbour; bins that are nearly empty throughout are not
    shown at either end. Where there are more than 24 levels, so many are shown, spread evenly from first to last.

    Raises ValueError if there is no weight.
    """
    if not (histograms["fraction"] > 0).any():
        raise ValueError("no magnitudes of weights")
    rows = in_percent(with_edges(histograms), "fraction", "cut")
    levels, more = some_of(rows["level"], MOST_LEVELS, "levels")
    rows = rows[rows["level"].isin(levels)]
    with drawing(style):
        figure, grid = panels(style, len(levels), 4, (2.5, 2.0))
        for axes, level in zip(grid, levels, strict=True):
            of_level = rows[rows["level"] == level]
            for moment, look in LOOKS.items():
                bins = of_level[of_level["moment"] == moment].sort_values("left")
                if len(bins):
                    edges = [*bins["left"], bins["right"].iloc[-1]]
                    axes.stairs(bins["fraction"], edges, fill=moment == "before", label=moment, **look)
            name, cut = shorten(level, 1.6 * style.growth, style.font_size), of_level["cut"].iloc[0]
            axes.set_title(f"{name}: {cut:.3g}% cut" if np.isfinite(cut) else name)
            axes.grid(axis="x", visible=False)
        _magnitude_axis(grid[0], rows)
        grid[0].set(xlabel="Magnitude of a weight", ylabel="Weights in a bin (%)")
        outer_labels(grid)
        note(figure, f"mean over seeds; every histogram adds up to 100%{more}", style)
        before, after, retrained = LOOKS.values()
        marks = Patch(**before), Line2D([], [], **after), Line2D([], [], **retrained)
        legend_below(figure, dict(zip(NAMES, marks, strict=True)), style)
    return figure


def with_edges(bins: pd.DataFrame) -> pd.DataFrame:
    """The bins with columns left and right, their edges on a logarithmic axis: the left edge of the bin from 0 is set
    so that it is as wide as the next one."""
    above = bins[bins["low"] > 0]
    ratio = (above["high"] / above["low"])[above["low"] == above["low"].min()].max() if len(above) else 10.0
    return bins.assign(left=bins["low"].where(bins["low"] > 0, bins["high"] / ratio), right=bins["high"])


def _magnitude_axis(axes: Axes, rows: pd.DataFrame) -> None:
    """Scale the axes that all panels share: magnitudes from the first bin worth showing to the last."""
    seen = rows[rows["fraction"] >= min(LEAST, rows["fraction"].max())]
    low, high = float(seen["left"].min()), float(seen["right"].max())
    zero = float(rows.loc[rows["low"] <= 0, "left"].min())
    axes.set(xscale="log", xlim=(low, high), ylim=(0, 1.08 * float(rows["fraction"].max())))
    ticks = ticks_within(LogLocator(numticks=4), low, high)
    if low == zero:  # a number of its own for the bin from 0, and none that would touch it
        ticks = np.append(zero, ticks[ticks > low * (high / low) ** 0.12])
    axes.xaxis.set_major_locator(FixedLocator(list(ticks)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: PLAIN(value) if value != zero else "0"))
    axes.minorticks_off()
