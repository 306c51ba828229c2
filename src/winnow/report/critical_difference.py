"""The critical-difference diagram: mean ranks of methods on a line, and bars over those that are not told apart."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from winnow.analysis.ranks import LEVEL, Ranking
from winnow.report.style import GREY, Style, drawing, new_figure, note, text_width

NAME_GAP, BAR_GAP = 0.19, 0.1  # inches from a name to the next, and from a bar to the next
BASELINE = "random"


def critical_difference_figure(found: Ranking, style: Style) -> Figure:
    """The diagram of Demsar 2006 (figure 1): the mean rank of every method, the best on the left; a thick bar joins
    methods whose mean ranks differ by no more than the critical difference, which is drawn above. Names stand to the
    left for the better half, to the right for the others; random's is bold, its mark a cross.

    All marks are black or grey, so nothing is lost in a grey print.
    """
    half = (len(found.ranks) + 1) // 2
    sides = found.ranks.iloc[:half], found.ranks.iloc[half:]
    beside = [max((text_width(_label(*row), style.small) for row in side.items()), default=0) + 0.2 for side in sides]
    below = BAR_GAP * (len(found.cliques) + 2)
    height = below + NAME_GAP * half + 0.8
    with drawing(style):
        width = 4.5 + sum(beside) / style.growth
        figure = new_figure(style, width, height + 0.3)
        axes = figure.subplots()
        axes.set_axis_off()
        line = 4.5 * style.growth  # inches, of the axis of ranks
        low, high = 1.0, float(len(found.ranks))
        per_inch = (high - low) / line
        axes.set_xlim(low - beside[0] * per_inch, high + beside[1] * per_inch)
        axes.set_ylim(-(below + NAME_GAP * half), 0.65)  # inches at 9 points
        _ruler(axes, low, high, found.critical, style)
        for place, clique in enumerate(found.cliques):
            ends = found.ranks[clique[0]], found.ranks[clique[-1]]
            y = -BAR_GAP * (place + 1)
            axes.plot(ends, (y, y), color="black", linewidth=3, solid_capstyle="butt", label=" ".join(clique))
        for side, align, edge in ((sides[0], "right", low), (sides[1].iloc[::-1], "left", high)):
            _names(axes, side, align, edge, below, style)
        told = "differ" if found.p < LEVEL else "do not differ"
        note(axes, f"mean rank over {found.blocks} comparisons, 1: best; a bar joins methods not told apart (Nemenyi, "
             f"{100 * LEVEL:g}%)\nFriedman's test: the methods {told}, p {_small(found.p)}", style)  # fmt: skip
    return figure


def _ruler(axes: Axes, low: float, high: float, critical: float, style: Style) -> None:
    """The axis of ranks at 0, and the critical difference above it."""
    axes.plot((low, high), (0, 0), color="black", linewidth=1)
    step = max(1, round((high - low) / 10))
    ticks = sorted({*range(1, int(high) + 1, step), int(high)})
    if len(ticks) > 2 and ticks[-1] - ticks[-2] < step:
        ticks.pop(-2)
    for tick in ticks:
        axes.plot((tick, tick), (0, 0.06), color="black", linewidth=1)
        axes.text(tick, 0.09, str(tick), ha="center", va="bottom", fontsize=style.small)
    end = min(low + critical, high)
    axes.plot((low, end), (0.42, 0.42), color="black", linewidth=1.4, label="critical difference",
              marker="|", markersize=7)  # fmt: skip
    text = f"critical difference {critical:.2f}" + ("" if low + critical <= high else ", wider than all ranks")
    axes.text(low, 0.47, text, ha="left", va="bottom", fontsize=style.small)


def _names(axes: Axes, side: pd.Series, align: str, edge: float, below: float, style: Style) -> None:
    """The methods of one side, the outermost first, each joined to its rank by a line."""
    for place, (name, rank) in enumerate(side.items()):
        y = -(below + NAME_GAP * place)
        special = name == BASELINE
        axes.plot((rank, rank, edge), (0, y, y), color="black" if special else GREY, label=name,
                  linewidth=1.2 if special else 0.7, linestyle="--" if special else "-", zorder=1)  # fmt: skip
        axes.plot([rank], [0], color="black", marker="x" if special else "o", markersize=6 if special else 3.5)
        text = _label(str(name), rank)
        axes.text(edge, y, f" {text} ", ha=align, va="center", fontsize=style.small,
                  fontweight="bold" if special else "normal")  # fmt: skip


def _small(p: float) -> str:
    return "< 0.0001" if p < 1e-4 else f"= {p:.2g}"


def _label(name: object, rank: float) -> str:
    return f"{name}  {rank:.1f}"
