"""The images whose labels are most worth a second look."""

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from winnow.report.style import Style, drawing, shorten, text_width
from winnow.report.tiles import Tile, draw_tile, line_height, new_sheet


def suspects_figure(pixels: np.ndarray, suspects: pd.DataFrame, style: Style, columns: int = 6) -> Figure:
    """A grid of images in the order given, each with its rank, id, given label, predicted label and EL2N.

    ``pixels``: uint8 [n, channels, height, width]; ``suspects``: n rows in the same order with columns rank, id, given
    and predicted (class names), el2n and stderr (of the mean over seeds; NaN from a single seed, then left out).

    Raises ValueError if the two differ in length.
    """
    if len(pixels) != len(suspects):
        raise ValueError(f"{len(pixels)} images for {len(suspects)} suspects")
    columns = max(1, min(columns, len(suspects)))
    with drawing(style):
        grow, line = style.growth, line_height(style)
        side, margin, gap = 1.0 * grow, 0.12 * grow, 0.18 * grow
        wide = max(side, text_width("predicted: automobile", style.small))
        row_height = side + 4 * line + 0.22 * grow
        height = math.ceil(len(suspects) / columns) * row_height
        heading = f"Highest EL2N first{', ± standard error over seeds' if suspects['stderr'].notna().any() else ''}"
        head = 2.2 * style.font_size / 72 + margin
        width = max(2 * margin + columns * (wide + gap) - gap, 2 * margin + text_width(heading, style.font_size))
        tile = Tile(side, wide, style)
        figure, axes = new_sheet(width, head + max(height, 0.5 * grow))
        axes.text(
            margin, margin, heading if len(suspects) else "No suspects", ha="left", va="top", fontsize=style.font_size
        )
        for place, row in enumerate(suspects.to_dict("records")):
            error = "" if np.isnan(row["stderr"]) else f" ± {row['stderr']:.2f}"
            named = {f"{row['rank']}: ": row["id"], "given: ": row["given"], "predicted: ": row["predicted"]}
            lines = [
                name + shorten(value, wide - text_width(name, style.small), style.small)
                for name, value in named.items()
            ]
            lines.append(f"EL2N {row['el2n']:.2f}{error}")
            corner = (margin + place % columns * (wide + gap), head + place // columns * row_height)
            draw_tile(axes, pixels[place], lines, corner, tile)
    return figure
