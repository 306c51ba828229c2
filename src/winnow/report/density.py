"""Which layers the cuts fall on: the fraction of every layer's weights that is left, level by level."""

import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from winnow.report.axes import ticks_within
from winnow.report.heatmap import Scale, heat_map
from winnow.report.style import Style, drawing, note


def density_figure(density: pd.DataFrame, verdicts: pd.DataFrame, style: Style) -> Figure:
    """A heat map of layers and levels: the fraction of the layer's weights that is left, in percent, colours
    logarithmic.

    ``density``: one row per level and layer, columns level, layer, size (number of weights) and density (a fraction, a
    mean over replicates), layers and levels in the order of the axes. ``verdicts``: columns level and density (a
    fraction).

    Raises ValueError if there is no density.
    """
    found = density.dropna(subset=["density"])
    if found.empty:
        raise ValueError("no density of a layer")
    layers, levels = found["layer"].unique(), found["level"].unique()
    table = 100 * found.pivot_table(index="layer", columns="level", values="density").reindex(layers)[levels]
    positive = table.where(table > 0)
    least = min(float(np.nanmin(positive, initial=100.0)), 50.0)
    ticks = ticks_within(LogLocator(subs=(1, 2, 5) if least < 20 else range(1, 10)), least, 100)
    sizes, kept = found.groupby("layer")["size"].first(), verdicts.set_index("level")["density"]
    table = table.rename(
        index=lambda layer: f"{layer} ({_short(sizes[layer])})",
        columns=lambda level: f"{level} ({_percent(100 * kept[level])}%)",
    )
    with drawing(style):
        scale = Scale(LogNorm(least, 100, clip=True), "Weights left (%, logarithmic)", ticks, _percent)
        figure, axes = heat_map(table, scale, style)
        meaning = "cells: mean over seeds\nbeside a layer: its number of weights\nbelow a level: weights left in all"
        note(axes, meaning + ("; hatched: no value" if table.isna().any(axis=None) else ""), style)
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
