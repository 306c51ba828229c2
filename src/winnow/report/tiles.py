"""Sheets of small images with lines of type beneath, laid out in inches so that nothing can overlap."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from winnow.report.style import Style, shorten

TINY = 64  # pixels; images up to this size are shown pixel by pixel, larger ones smoothed
LINE_SPACING = 1.35  # of the type's size


def new_sheet(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of this size in inches, and axes over all of it whose unit is the inch, from the top left corner."""
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_autoscale_on(False)
    axes.set(xlim=(0, width), ylim=(height, 0))
    return figure, axes


def line_height(style: Style) -> float:
    """The height of a line of small type, in inches."""
    return LINE_SPACING * style.small / 72


@dataclass(frozen=True)
class Tile:
    """How large every tile of a sheet is, in inches: the side of the square that holds the image, and the width."""

    side: float
    width: float
    style: Style


def draw_tile(axes: Axes, pixels: np.ndarray, lines: Sequence[str], place: tuple[float, float], tile: Tile) -> None:
    """Draw one image, uint8 [channels, height, width], and lines of type beneath it; type that is wider than the tile
    loses its middle. ``place`` is the top left corner of the tile.

    Raises ValueError if the image has neither 1 (grey) nor 3 channels (RGB).
    """
    channels, rows, columns = pixels.shape
    if channels not in (1, 3):
        raise ValueError(f"an image of {channels} channels cannot be shown; it needs 1 or 3")
    left, top = place
    middle = left + tile.width / 2
    tall, wide = (tile.side * length / max(rows, columns) for length in (rows, columns))
    bottom = top + (tile.side + tall) / 2
    axes.imshow(
        pixels[0] if channels == 1 else pixels.transpose(1, 2, 0),
        cmap="gray",
        vmin=0,
        vmax=255,
        extent=(middle - wide / 2, middle + wide / 2, bottom, bottom - tall),
        interpolation="nearest" if max(rows, columns) <= TINY else "antialiased",
        aspect="auto",
        clip_on=False,
    )
    small = tile.style.small
    for number, line in enumerate(lines):
        y = top + tile.side + number * line_height(tile.style) + 0.03
        axes.text(middle, y, shorten(line, tile.width, small), ha="center", va="top", fontsize=small)
