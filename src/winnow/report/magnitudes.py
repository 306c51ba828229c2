"""How large the surviving weights are: before a cut, right after it, and after retraining."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from winnow.report.marks import plain, thinned
from winnow.report.style import LINES, Style, drawing, legend_below, new_figure, shorten

MOST_LEVELS = 24
LEAST = 0.2  # percent of a histogram's weights that a bin holds at its highest, for the axis to reach it
LOOKS: dict[str, dict[str, Any]] = {
    "before": {"facecolor": "#dddddd", "edgecolor": "#999999", "linewidth": 0.6},
    "after": {"color": "#0072B2", "linewidth": 1.3, "linestyle": LINES[0]},
    "retrained": {"color": "#D55E00", "linewidth": 1.3, "linestyle": LINES[1]},
}


def magnitudes_figure(magnitudes: pd.DataFrame, style: Style, layer: str = "all") -> Figure:
    """One panel per level: histograms of |w| on a logarithmic axis, each in percent of its own weights: the few that
    are left after a large cut would not be seen beside all those before it. The share that was cut is told above.

    ``magnitudes``: columns level, moment (before, after or retrained), layer, low and high (edges of a bin of |w|, the
    lowest from 0) and count (a mean over replicates); other layers are left out. The bin from 0 stands at the left, as
    wide as its neighbour; bins that are nearly empty throughout are not shown at either end.
    Where there are more than 24 levels, so many are shown, spread evenly from first to last.

    Raises ValueError if there is no weight of that layer.
    """
    rows = magnitudes[magnitudes["layer"] == layer]
    if not (rows["count"] > 0).any():
        raise ValueError(f"no magnitudes of layer {layer!r}")
    rows = drawn_bins(rows)
    every = list(dict.fromkeys(rows["level"]))
    cut = cut_shares(rows)
    levels = thinned(every, MOST_LEVELS)
    rows = rows[rows["level"].isin(levels)]
    columns = min(len(levels), 4)
    height = -(-len(levels) // columns)
    with drawing(style):
        figure = new_figure(style, max(2.5 * columns + 0.5, 5.0), 2.0 * height + 1.0)
        grid = figure.subplots(height, columns, squeeze=False, sharex=True, sharey=True)
        for place, axes in enumerate(grid.flat):
            if place >= len(levels):
                axes.remove()
                continue
            for moment, look in LOOKS.items():
                bins = rows[(rows["level"] == levels[place]) & (rows["moment"] == moment)].sort_values("left")
                if len(bins):
                    edges = [*bins["left"], bins["right"].iloc[-1]]
                    axes.stairs(bins["share"], edges, fill=moment == "before", label=moment, **look)
            name = shorten(levels[place], 1.6 * style.growth, style.font_size)
            axes.set_title(f"{name}: {100 * cut[levels[place]]:.3g}% cut" if levels[place] in cut else name)
            axes.grid(axis="x", visible=False)
            if place % columns == 0:
                axes.set_ylabel("Weights in a bin (%)")
            if place + columns >= len(levels):
                axes.set_xlabel("Magnitude of a weight")
                axes.tick_params(labelbottom=True)
        _magnitude_axis(grid.flat[0], rows)
        meaning = ["mean over seeds; every histogram adds up to 100%"]
        meaning += [] if layer == "all" else [f"layer {layer}"]
        meaning += [f"{len(levels)} of {len(every)} levels"] if len(levels) < len(every) else []
        figure.suptitle("; ".join(meaning), fontsize=style.small, x=0.01, ha="left")
        before, after, retrained = LOOKS.values()
        handles = [Patch(**before), Line2D([], [], **after), Line2D([], [], **retrained)]
        legend_below(figure, handles, ["before the cut", "right after the cut", "after retraining"], style)
    return figure


def drawn_bins(bins: pd.DataFrame) -> pd.DataFrame:
    """The bins with columns left and right, their edges on a logarithmic axis, and share, in percent of the weights of
    the same level and moment.

    Only the bin from 0 is moved: its left edge is set so that it is as wide as the next one.
    """
    above = bins[bins["low"] > 0]
    ratio = (above["high"] / above["low"])[above["low"] == above["low"].min()].max() if len(above) else 10.0
    return bins.assign(
        left=bins["low"].where(bins["low"] > 0, bins["high"] / ratio),
        right=bins["high"],
        share=100 * bins["count"] / bins.groupby(["level", "moment"])["count"].transform("sum").replace(0, np.nan),
    )


def cut_shares(bins: pd.DataFrame) -> dict[str, float]:
    """Which share (0 to 1) of the weights before it each level's cut took; levels of which it is not known left out."""
    sums = bins.pivot_table(index="level", columns="moment", values="count", aggfunc="sum", sort=False)
    shares = 1 - sums.reindex(columns=["after", "before"])["after"] / sums.reindex(columns=["before"])["before"]
    return {str(level): float(share) for level, share in shares.items() if np.isfinite(share)}


def _magnitude_axis(axes: Axes, rows: pd.DataFrame) -> None:
    """Scale the axes that all panels share: magnitudes from the first bin worth showing to the last."""
    seen = rows[rows["share"] >= min(LEAST, rows["share"].max())]
    low, high = float(seen["left"].min()), float(seen["right"].max())
    zero = float(rows.loc[rows["low"] <= 0, "left"].min())
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(0, 1.08 * float(rows["share"].max()))
    ticks = np.asarray(LogLocator(numticks=4).tick_values(low, high))
    ticks = ticks[(ticks >= low) & (ticks <= high)]
    if low == zero:  # a number of its own for the bin from 0, and none that would touch it
        ticks = np.append(zero, ticks[ticks > low * (high / low) ** 0.12])
    axes.xaxis.set_major_locator(FixedLocator(list(ticks)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: plain(value) if value != zero else "0"))
