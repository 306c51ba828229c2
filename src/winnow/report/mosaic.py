"""The easiest and the hardest images of every class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from winnow.datasets.images import Pixels
from winnow.report.style import Style, drawing, shorten, text_width
from winnow.report.tiles import Tile, draw_tile, line_height, new_sheet

CLASSES = 20  # on one figure


@dataclass(frozen=True)
class _Layout:
    """Lengths in inches, the same on every figure."""

    tile: Tile
    gap: float  # between two images
    row: float  # height of a row
    head: float  # of what is above the rows
    margin: float
    names: float  # width of the names of classes
    block: float  # of one side
    starts: Mapping[str, float]  # where each side begins, from the left


def mosaic_figures(
    pixels: Pixels, extremes: pd.DataFrame, class_names: Sequence[str], score: str, style: Style
) -> list[Figure]:
    """Rows of classes: the images of lowest score on the left, those of highest score on the right, hardest last.

    ``pixels``: uint8 [n, channels, height, width]; ``extremes``: one row per image shown, columns label (place in
    ``class_names``), side (easiest or hardest), row (of ``pixels``), id and score, in the order shown. Beneath each
    image its id and its score. One figure per 20 classes; ``score`` is the name in the headings.
    """
    heads = {"easiest": f"Easiest: lowest {score}", "hardest": f"Hardest: highest {score}"}
    with drawing(style):
        layout = _layout(extremes, class_names, heads, style)
        labels = list(dict.fromkeys(extremes["label"]))
        sheets = [extremes[extremes["label"].isin(labels[i : i + CLASSES])] for i in range(0, len(labels), CLASSES)]
        return [_sheet(pixels, shown, class_names, heads, layout) for shown in sheets]


def _layout(extremes: pd.DataFrame, class_names: Sequence[str], heads: Mapping[str, str], style: Style) -> _Layout:
    grow, size = style.growth, style.font_size
    side, margin, gap = 0.75 * grow, 0.12 * grow, 0.1 * grow
    wide = max(side, text_width("0" * 11, style.small))  # room for ids of eleven digits
    names = min(1.5 * grow, max((text_width(name, size) for name in class_names), default=0.0))
    most = int(extremes.groupby(["label", "side"]).size().max()) if len(extremes) else 0
    block = max(most * (wide + gap) - gap, 1.2 * max(text_width(text, size) for text in heads.values()))  # bold
    first = margin + names + 0.15 * grow
    return _Layout(
        tile=Tile(side, wide, style),
        gap=gap,
        row=side + 2 * line_height(style) + 0.14 * grow,
        head=2.2 * size / 72 + margin,
        margin=margin,
        names=names,
        block=block,
        starts=dict(zip(heads, (first, first + block + 0.4 * grow), strict=True)),
    )


def _sheet(
    pixels: Pixels, shown: pd.DataFrame, class_names: Sequence[str], heads: Mapping[str, str], layout: _Layout
) -> Figure:
    size = layout.tile.style.font_size
    rows = list(dict.fromkeys(shown["label"]))
    right = layout.starts["hardest"]
    bottom = layout.head + len(rows) * layout.row
    figure, axes = new_sheet(right + layout.block + layout.margin, bottom + layout.margin)
    for side, text in heads.items():
        middle = layout.starts[side] + layout.block / 2
        axes.text(middle, layout.margin, text, ha="center", va="top", fontsize=size, weight="bold")
    divide = (right + layout.starts["easiest"] + layout.block) / 2
    axes.plot([divide, divide], [layout.head, bottom], color="#bbbbbb", linewidth=0.8)
    for row, label in enumerate(rows):
        top = layout.head + row * layout.row
        name = shorten(class_names[label], layout.names, size)
        axes.text(layout.margin, top + layout.tile.side / 2, name, ha="left", va="center", fontsize=size)
        for side, images in shown[shown["label"] == label].groupby("side"):
            for column, image in enumerate(images.to_dict("records")):
                place = (layout.starts[str(side)] + column * (layout.tile.width + layout.gap), top)
                draw_tile(axes, pixels[image["row"]], [str(image["id"]), f"{image['score']:.3f}"], place, layout.tile)
    return figure
