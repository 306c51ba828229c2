"""What a test looks for in a picture."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D


def line(axes: Axes, label: str) -> Line2D:
    """The line of this label in a panel."""
    return next(drawn for drawn in axes.lines if drawn.get_label() == label)


def labels(axes: Axes) -> list[str]:
    """The labels of all lines in a panel."""
    return [str(drawn.get_label()) for drawn in axes.lines]


def legend(figure: Figure) -> list[str]:
    """The names in a figure's legend."""
    return [text.get_text() for text in figure.legends[0].get_texts()]
