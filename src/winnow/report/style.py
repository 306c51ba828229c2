"""How every picture looks, in one place: type, colours, markers and lines; and how a picture is written.

Pictures are plain ``Figure`` objects drawn by Agg; pyplot and its global state are never touched. Matplotlib's settings
are put back to its own defaults while a picture is drawn, so that a user's matplotlibrc changes no byte of it.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.ft2font import LoadFlags

from winnow.report.looks import COLORS, GREY, LINES, MARKERS, SCORE_TITLES, Look, looks, score_title  # noqa: F401, for pictures
from winnow.storage import atomic_file

FONT = "DejaVu Sans"  # comes with matplotlib, so that every machine draws the same picture


@dataclass(frozen=True)
class Style:
    """What the user may set; sizes in points."""

    font_size: float = 9.0

    @property
    def small(self) -> float:
        """The size of notes and of the type beneath images."""
        return 0.8 * self.font_size

    @property
    def growth(self) -> float:
        """How much larger than at 9 points a picture is made, so that larger type overlaps nothing."""
        return max(1.0, self.font_size / 9.0)


@contextmanager
def drawing(style: Style) -> Iterator[None]:
    """Matplotlib's own defaults with this style on top, while a picture is made."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "font.family": FONT,
                "font.size": style.font_size,
                "axes.titlesize": style.font_size,
                "axes.labelsize": style.font_size,
                "xtick.labelsize": style.small,
                "ytick.labelsize": style.small,
                "legend.fontsize": style.font_size,
                "legend.frameon": False,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.grid": True,
                "axes.axisbelow": True,
                "grid.color": "#e6e6e6",
                "grid.linewidth": 0.6,
                "hatch.linewidth": 0.6,
                "text.parse_math": False,  # a class may be called "$5"
            }
        )
        yield


def new_figure(style: Style, width: float, height: float) -> Figure:
    """An empty figure, its size in inches at 9 points, larger for larger type."""
    figure = Figure(figsize=(width * style.growth, height * style.growth), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def panels(style: Style, count: int, most: int, cell: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    """A figure of ``count`` panels that share their axes, at most so many beside each other, each as large as ``cell``
    (inches, width and height). The lowest panel of every column has the numbers of the horizontal axis."""
    across = min(count, most)
    down = math.ceil(count / across)
    figure = new_figure(style, max(cell[0] * across + 0.5, 5.0), cell[1] * down + 1.0)
    grid = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True).flat
    for axes in grid[count:]:
        axes.remove()
    for axes in grid[max(0, count - across) : count]:
        axes.tick_params(labelbottom=True)
    return figure, list(grid[:count])


def outer_labels(panels: Sequence[Axes]) -> None:
    """Give the names of the first panel's axes to all: y at the left of each row, x below the lowest of each column."""
    x, y = panels[0].get_xlabel(), panels[0].get_ylabel()
    for axes in panels:
        place = axes.get_subplotspec()
        axes.set_xlabel(x if axes.xaxis.get_tick_params()["labelbottom"] else "")
        axes.set_ylabel(y if place is not None and place.is_first_col() else "")


def note(above: Axes | Figure, text: str, style: Style) -> None:
    """Say above a panel, or above all, in small type, what the marks mean."""
    if isinstance(above, Figure):
        above.suptitle(text, fontsize=style.small, x=0.01, ha="left")
    else:
        above.set_title(text, loc="left", fontsize=style.small, color="#333333")


def legend_below(figure: Figure, handles: Mapping[str, Any], style: Style) -> None:
    """A legend under the panels, in as many columns as the figure is wide; from names to what is drawn."""
    if not handles:
        return
    handle = 7 * style.font_size / 72  # the line's 4 em, and the space around it
    column = max(text_width(name, style.font_size) for name in handles) + handle
    columns = max(1, min(len(handles), int(figure.get_figwidth() / column)))
    columns = math.ceil(len(handles) / math.ceil(len(handles) / columns))  # as even as can be
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=columns, handlelength=4)


def text_width(text: str, size: float) -> float:
    """How wide a line of text is, in inches, at a size in points."""
    return sum(_advance(character) for character in text) * size / 72


def shorten(text: str, width: float, size: float) -> str:
    """The text on one line, its middle left out if it is wider than ``width`` inches at ``size`` points.

    A character that the font does not have becomes a box, as it would in any case, but without a warning.
    Ids often share their beginning and differ at their end, so both ends stay, and more of the last.
    """
    text = "".join(c if _drawable(c) else "□" for c in " ".join(str(text).split()))
    if text_width(text, size) <= width:
        return text
    for kept in range(min(len(text) - 1, 200), 1, -1):
        head = (kept + 1) // 3
        short = f"{text[:head]}…{text[len(text) - (kept - head) :]}"
        if text_width(short, size) <= width:
            return short
    return "…"


@cache
def _advance(character: str) -> float:
    """How far a character moves the pen, as a part of the size; measured once each, as whole lines take a while."""
    font = get_font(findfont(FONT))
    font.set_size(100, 72)
    return font.load_char(ord(character), flags=LoadFlags.NO_HINTING).linearHoriAdvance / 65536 / 100


@cache
def _drawable(character: str) -> bool:
    return get_font(findfont(FONT)).get_char_index(ord(character)) != 0


def save(figure: Figure, path: str | Path, dpi: int) -> None:
    """Write a picture as PNG, whole or not at all; the same picture gives the same bytes (no date, no software)."""
    with mpl.rc_context():
        mpl.rcdefaults()
        with atomic_file(path) as temporary:
            figure.savefig(temporary, format="png", dpi=dpi, metadata={"Software": None})
