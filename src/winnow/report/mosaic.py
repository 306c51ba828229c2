"""The easiest and the hardest images of every class."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from winnow.report.style import Style, drawing, shorten, text_width
from winnow.report.tiles import draw_tile, line_height, new_sheet


def mosaic_figures(
    pixels: np.ndarray,
    labels: np.ndarray,
    ids: np.ndarray,
    scores: np.ndarray,
    class_names: Sequence[str],
    *,
    style: Style,
    per_class: int = 5,
    classes_per_figure: int = 20,
    score: str = "EL2N",
) -> list[Figure]:
    """Rows of classes: the images of lowest score on the left, those of highest score on the right, hardest last.

    ``pixels``: uint8 [n, channels, height, width]; ``labels``: int [n], positions in ``class_names``; ``ids``: str [n];
    ``scores``: float [n]. Beneath each image its id and its score. No image is shown on both sides, so a class of fewer
    than 2 x ``per_class`` images has fewer on each; a class without images has no row. One figure per
    ``classes_per_figure`` classes; ``score`` is the name in the headings.
    """
    picks = {label: extremes(np.flatnonzero(labels == label), scores, per_class) for label in range(len(class_names))}
    picks = {label: sides for label, sides in picks.items() if len(sides[1])}
    order = list(picks)
    figures = []
    with drawing(style):
        grow, line = style.growth, line_height(style)
        side = 0.75 * grow
        wide = max(side, text_width("0" * 11, style.small))  # room for ids of eleven digits
        gap, between = 0.1 * grow, 0.4 * grow
        row_height = side + 2 * line + 0.14 * grow
        margin = 0.12 * grow
        head = 2.2 * style.font_size / 72 + margin
        widths = [text_width(name, style.font_size) for name in class_names]
        names_width = min(1.5 * grow, max(widths, default=0.0))
        most = max((len(sides[1]) for sides in picks.values()), default=0)
        heads = [f"Easiest: lowest {score}", f"Hardest: highest {score}"]
        heading_width = max(text_width(text, style.font_size) for text in heads) * 1.2  # bold
        block = max(most * (wide + gap) - gap, heading_width)
        start = margin + names_width + 0.15 * grow
        starts = (start, start + block + between)
        width = starts[1] + block + margin
        for first in range(0, len(order), classes_per_figure):
            shown = order[first : first + classes_per_figure]
            figure, axes = new_sheet(width, head + len(shown) * row_height + margin)
            for left, text in zip(starts, heads, strict=True):
                axes.text(
                    left + block / 2, margin, text, ha="center", va="top", fontsize=style.font_size, weight="bold"
                )
            divide = starts[1] - between / 2
            axes.plot([divide, divide], [head, head + len(shown) * row_height], color="#bbbbbb", linewidth=0.8)
            for row, label in enumerate(shown):
                top = head + row * row_height
                name = shorten(class_names[label], names_width, style.font_size)
                axes.text(margin, top + side / 2, name, ha="left", va="center", fontsize=style.font_size)
                for left, rows in zip(starts, picks[label], strict=True):
                    for column, image in enumerate(rows):
                        place = (left + column * (wide + gap), top)
                        lines = [str(ids[image]), f"{scores[image]:.3f}"]
                        draw_tile(axes, pixels[image], lines, place=place, side=side, width=wide, style=style)
            figures.append(figure)
    return figures


def extremes(rows: np.ndarray, scores: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Of these rows the ``count`` lowest and the ``count`` highest scores, each rising, none twice; NaN is left out."""
    rows = rows[~np.isnan(scores[rows])]
    rows = rows[np.argsort(scores[rows], kind="stable")]
    highest = min(count, (len(rows) + 1) // 2)
    lowest = min(count, len(rows) - highest)
    return rows[:lowest], rows[len(rows) - highest :]
