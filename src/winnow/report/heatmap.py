"""Heat maps with their numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from winnow.report.axes import PLAIN
from winnow.report.style import Style, new_figure, shorten, text_width

COLOR_MAP = "cividis"  # even in lightness, so it reads the same in grey and to the colour-blind
LONGEST_NAME = 2.4  # inches
HATCHED: dict[str, Any] = {"facecolor": "white", "edgecolor": "#bbbbbb", "hatch": "/////", "linewidth": 0}


@dataclass(frozen=True)
class Scale:
    """What the colours of a heat map mean: a number for each value, in words, with these ticks; and a cell's value as
    text. Cells are a little wider than tall where they hold their text, unless they are square."""

    norm: Normalize
    label: str
    ticks: Sequence[float] | np.ndarray
    text: Callable[[float], str]
    square: bool = False


def heat_map(table: pd.DataFrame, scale: Scale, style: Style, blank: np.ndarray | None = None) -> tuple[Figure, Axes]:
    """A figure of the cells of a table, which has the names of rows and columns; hatched where a value is NaN, empty
    where ``blank`` is true. Few cells hold their value as text.
    Returns the figure and its panel."""
    values, (height, width) = table.to_numpy(float), table.shape
    numbers = width <= (20 if scale.square else 30)
    cell_width, cell_height = ((0.42, 0.42) if scale.square else (0.4, 0.26)) if numbers else (0.19, 0.19)
    names = [[shorten(name, LONGEST_NAME * style.growth, style.small) for name in axis] for axis in table.axes]
    beside, beneath = (max(text_width(name, style.small) for name in own) / style.growth for own in names)
    tall, wide = max(cell_height * height, 1.4), max(cell_width * width, 2.4)
    figure = new_figure(style, wide + beside + 1.5, tall + beneath + 1.0)
    axes = figure.subplots()
    axes.grid(visible=False)
    image = axes.imshow(values, cmap=COLOR_MAP, norm=scale.norm, interpolation="nearest", aspect="auto")
    axes.set_xticks(range(width), names[1], rotation=90)
    axes.set_yticks(range(height), names[0])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    missing = np.isnan(values) if blank is None else np.isnan(values) & ~blank
    corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    cells = np.argwhere(missing)[:, None, ::-1] + corners
    axes.add_collection(PolyCollection(list(cells), **HATCHED), autolim=False)
    for (row, column), value in np.ndenumerate(values) if numbers else ():
        if np.isfinite(value):
            color = "white" if scale.norm(value) < 0.5 else "black"
            axes.text(column, row, scale.text(value), ha="center", va="center", fontsize=0.9 * style.small, color=color)
    bar = figure.colorbar(image, ax=axes, shrink=min(1.0, 3 / tall), aspect=16)
    bar.set_label(scale.label)
    bar.outline.set_visible(False)
    bar.minorticks_off()
    bar.set_ticks(list(scale.ticks), labels=[PLAIN(tick) for tick in scale.ticks])
    return figure, axes
