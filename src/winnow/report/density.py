"""Which layers the cuts fall on: the share of every layer's weights that is left, level by level."""

import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from winnow.report.heatmap import heat_map
from winnow.report.style import Style, drawing, note


def density_figure(density: pd.DataFrame, style: Style) -> Figure:
    """A heat map of layers and levels: the share of the layer's weights that is left, in percent, colours logarithmic.

    ``density``: one row per level and layer, columns level, left (0 to 1), layer, size (number of weights) and density
    (0 to 1, a mean over replicates), layers and levels in the order of the axes.

    Raises ValueError if there is no density.
    """
    found = density.dropna(subset=["density"])
    if found.empty:
        raise ValueError("no density of a layer")
    layers, levels = list(dict.fromkeys(found["layer"])), list(dict.fromkeys(found["level"]))
    table = 100 * found.pivot_table(index="layer", columns="level", values="density").reindex(layers)[levels]
    values = table.to_numpy(float)
    above = values[values > 0]
    least = min(float(above.min(initial=100.0)), 50.0)
    ticks = LogLocator(subs=(1, 2, 5) if least < 20 else range(1, 10)).tick_values(least, 100)
    sizes, left = found.groupby("layer")["size"].first(), found.groupby("level")["left"].mean()
    with drawing(style):
        figure, axes = heat_map(
            values,
            [f"{layer} ({_short(sizes[layer])})" for layer in layers],
            [f"{level} ({_percent(100 * left[level])}%)" for level in levels],
            LogNorm(least, 100, clip=True),
            style,
            number=_percent,
            bar_label="Weights left (%, logarithmic)",
            bar_ticks=[tick for tick in ticks if least <= tick <= 100],
        )
        meaning = "cells: mean over seeds\nbeside a layer: its number of weights\nbelow a level: weights left in all"
        if np.isnan(values).any():
            meaning += "; hatched: no value"
        note(axes, meaning, style)
    return figure


def _percent(value: float) -> str:
    """Short enough for a cell: 100, 51, 3.4, 0.07, 0."""
    return f"{value:.0f}" if value >= 9.95 or value == 0 else f"{value:.1f}" if value >= 0.95 else f"{value:.1g}"


def _short(count: float) -> str:
    """A number of weights: 432, 36.9k, 2.4M."""
    for size, name in ((1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g}{name}"
    return f"{count:.0f}"
