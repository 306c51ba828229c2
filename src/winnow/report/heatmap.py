"""Heat maps with their numbers."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from winnow.report.correlation import COLOR_MAP
from winnow.report.marks import plain
from winnow.report.style import Style, new_figure, shorten, text_width

MOST_WITH_NUMBERS = 30  # columns up to which every cell also holds its number
CELL = (0.4, 0.26)  # inches, with a number
SMALL_CELL = (0.19, 0.19)
LONGEST_NAME = 2.4  # inches


def heat_map(
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    norm: Normalize,
    style: Style,
    *,
    number: Callable[[float], str],
    bar_label: str,
    bar_ticks: Sequence[float],
    blank: np.ndarray | None = None,
) -> tuple[Figure, Axes]:
    """A figure of cells [rows, columns], hatched where a value is NaN, empty where ``blank`` is true.

    Returns the figure and its panel. Every cell holds its number, unless there are very many columns.
    """
    height, width = values.shape
    numbers = width <= MOST_WITH_NUMBERS
    cell_width, cell_height = CELL if numbers else SMALL_CELL
    row_names = [shorten(name, LONGEST_NAME * style.growth, style.small) for name in rows]
    column_names = [shorten(name, LONGEST_NAME * style.growth, style.small) for name in columns]
    beside, beneath = (
        max(text_width(name, style.small) for name in names) / style.growth for names in (row_names, column_names)
    )
    tall, wide = max(cell_height * height, 1.4), max(cell_width * width, 2.4)
    figure = new_figure(style, wide + beside + 1.5, tall + beneath + 1.0)
    axes = figure.subplots()
    axes.grid(visible=False)
    missing = np.isnan(values) if blank is None else np.isnan(values) & ~blank
    image = axes.imshow(np.ma.masked_invalid(values), cmap=COLOR_MAP, norm=norm, interpolation="nearest", aspect="auto")
    axes.set_xticks(range(width), column_names, rotation=90)
    axes.set_yticks(range(height), row_names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for row, column in np.argwhere(missing):
        axes.add_patch(
            Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor="white", edgecolor="#bbbbbb", hatch="/////")
        )
    if numbers:
        for (row, column), value in np.ndenumerate(values):
            if np.isfinite(value):
                color = "white" if norm(value) < 0.5 else "black"
                axes.text(column, row, number(value), ha="center", va="center", fontsize=0.9 * style.small, color=color)
    bar = figure.colorbar(image, ax=axes, shrink=min(1.0, 3 / tall), aspect=16)
    bar.set_label(bar_label)
    bar.outline.set_visible(False)
    bar.minorticks_off()
    bar.set_ticks(list(bar_ticks), labels=[plain(tick) for tick in bar_ticks])
    return figure, axes
