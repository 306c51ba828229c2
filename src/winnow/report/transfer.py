"""Whether rankings transfer: scores of other networks against those of the networks that were scored, and how subsets
do that either chose."""

import math

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from winnow.analysis.spread import BAND_IN_WORDS
from winnow.report.accuracy import draw_differences
from winnow.report.marks import draw_lines, in_percent, nothing_drawn
from winnow.report.style import GREY, Look, Style, drawing, legend_below, looks, new_figure, note, score_title

ACROSS = 3  # panels beside each other
CEILING = Look(GREY, "", "--")


def transfer_figure(table: pd.DataFrame, differences: pd.DataFrame, style: Style) -> Figure:
    """A panel for every score: rank correlation with each source over the epochs, and the ceiling. In a last panel, the
    accuracies of subsets, minus random's.

    ``table``: of ``analysis.transfer.transfer_table``. ``differences``: columns method, fraction, difference, low and
    high (fractions), perhaps without a row. Raises ValueError if the table is empty.
    """
    if table.empty:
        raise ValueError("no rank correlation with a source")
    scores, sources = (list(dict.fromkeys(table[column])) for column in ("score", "source"))
    look_of = looks([*(f"from {source}" for source in sources), *differences["method"], "random"])
    with drawing(style):
        across = min(ACROSS, len(scores) + 1)
        down = math.ceil((len(scores) + 1) / across)
        figure = new_figure(style, 3.4 * across, 2.9 * down + 1.0)
        grid = figure.subplots(down, across, squeeze=False).flat
        handles: dict[str, Artist] = {}
        for axes, score in zip(grid, scores, strict=False):
            handles |= _draw_score(axes, table[table["score"] == score], look_of)
            axes.set_title(score_title(score))
        last = grid[len(scores)]
        handles |= _draw_subsets(last, in_percent(differences, "difference", "low", "high", "fraction"), look_of)
        for axes in grid[len(scores) + 1 :]:
            axes.remove()
        low, high = table[["low", "ceiling_low"]].min(axis=None), table[["high", "ceiling_high"]].max(axis=None)
        for axes in grid[: len(scores)]:
            axes.set_ylim(min(0, low) - 0.05, min(1, high) + 0.05)
        meaning = f"mean scores of as many seeds on either side; line: mean, band: {BAND_IN_WORDS} over random draws"
        note(figure, f"{meaning}\nright: bar: 95% interval" if len(differences) else meaning, style)
        legend_below(figure, handles, style)
    return figure


def _draw_score(axes: Axes, table: pd.DataFrame, look_of: dict[str, Look]) -> dict[str, Artist]:
    """One line for each source, and for each number of seeds the ceiling."""
    lines = table.assign(line="from " + table["source"], mean=table["spearman"], count=2)  # draws, if there are many
    handles = {}
    for seeds, rows in lines.groupby("seeds"):
        name = f"two halves of {2 * int(str(seeds))} of early's own"
        own = rows.drop_duplicates("epoch").dropna(subset=["ceiling"])
        own = own.assign(line=name, mean=own["ceiling"], low=own["ceiling_low"], high=own["ceiling_high"])
        handles |= draw_lines(axes, own, "epoch", {name: CEILING})
    handles = draw_lines(axes, lines, "epoch", {name: look_of[name] for name in lines["line"]}) | handles
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="Epoch", ylabel="Spearman rank correlation")
    return handles


def _draw_subsets(axes: Axes, against: pd.DataFrame, look_of: dict[str, Look]) -> dict[str, Artist]:
    if against.empty:
        nothing_drawn(axes, "no method of select.methods\nchooses by a source")
        axes.set(xticks=[], yticks=[])
        return {}
    low, high = against["fraction"].min(), against["fraction"].max()
    pad = 0.1 * (high - low) or 0.2 * low
    axes.set_xlim(low - pad, high + pad)
    draw_differences(axes, against, look_of)
    axes.set(xlabel="Fraction of the training images kept (%)", title="Subsets")
    return {str(line.get_label()): line for line in axes.lines if not str(line.get_label()).startswith("_")}
