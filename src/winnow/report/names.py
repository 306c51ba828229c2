"""Names beside single points of a picture, as far as there is room."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from winnow.report.style import Style, text_width

MARKER = 0.09  # inches across, with a little air
LINE = 1.1  # height of a line of type, in units of its size
# where a name may stand beside its point, the first that is free: direction, and alignment of the text
PLACES = (
    (1, 0, "left", "center"),
    (-1, 0, "right", "center"),
    (0, 1, "center", "bottom"),
    (0, -1, "center", "top"),
    (0.7, 0.7, "left", "bottom"),
    (0.7, -0.7, "left", "top"),
    (-0.7, 0.7, "right", "bottom"),
    (-0.7, -0.7, "right", "top"),
)
SHIFT = {"left": 0.0, "bottom": 0.0, "center": -0.5, "right": -1.0, "top": -1.0}  # of a box from its anchor


def name_points(axes: Axes, points: Mapping[str, tuple[float, float]], size: tuple[float, float], style: Style) -> None:
    """Write the name of every point (x, y) in view beside it, where neither the marker of a line nor another name is;
    names without such a place are left out.

    ``size``: of the panel in inches, about, as it is not laid out yet. Call this last, when all else is drawn.
    """
    to_inches = axes.transScale + axes.transLimits  # to shares of the panel, whatever its size
    places = [line.get_xydata() for line in axes.lines if line.get_marker() not in ("", "None", None)]
    markers = to_inches.transform(np.concatenate([np.empty((0, 2)), *places])) * size
    taken = [(x - MARKER / 2, y - MARKER / 2, x + MARKER / 2, y + MARKER / 2) for x, y in markers]
    tall, away = LINE * style.small / 72, 0.75 * MARKER
    for name, point in points.items():
        at = np.asarray(to_inches.transform(point)) * size
        if not ((at >= 0) & (at <= size)).all():
            continue
        wide = text_width(name, style.small)
        for right, up, across, along in PLACES:
            left = at[0] + right * away + SHIFT[across] * wide
            bottom = at[1] + up * away + SHIFT[along] * tall
            box = (left, bottom, left + wide, bottom + tall)
            inside = left >= 0 and bottom >= 0 and box[2] <= size[0] and box[3] <= size[1]
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                text = axes.annotate(
                    name, point, (72 * right * away, 72 * up * away), textcoords="offset points",
                    ha=across, va=along, fontsize=style.small, annotation_clip=True,
                )  # fmt: skip
                text.set_path_effects([withStroke(linewidth=2, foreground="white")])
                break


def _overlap(box: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]
