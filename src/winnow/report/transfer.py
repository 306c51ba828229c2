"""Whether rankings transfer: scores of other networks against those of the networks that were scored, and how subsets
do that either chose."""

import math

import numpy as np
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
        reach = table[["low", "high", "ceiling_low", "ceiling_high"]].to_numpy(float)
        for place, score in enumerate(scores):
            axes = grid[place]
            handles |= _draw_score(axes, table[table["score"] == score], look_of)
            axes.set(title=score_title(score), xlabel="Epoch", ylabel="" if place % across else "Rank correlation")
            axes.set_ylim(np.nanmin(reach, initial=0) - 0.05, np.nanmax(reach, initial=1) + 0.05)
        handles |= _draw_subsets(
            grid[len(scores)], in_percent(differences, "difference", "low", "high", "fraction"), look_of
        )
        for axes in grid[len(scores) + 1 :]:
            axes.remove()
        meaning = f"Spearman's, mean scores of as many seeds on either side; band: {BAND_IN_WORDS} over random draws"
        of_subsets = "\nsubsets: test accuracy minus that of random subsets of the same size; bar: 95% interval"
        note(figure, meaning + (of_subsets if len(differences) else ""), style)
        legend_below(figure, handles, style)
    return figure


def _draw_score(axes: Axes, table: pd.DataFrame, look_of: dict[str, Look]) -> dict[str, Artist]:
    """One line for each source, and for each number of seeds the ceiling."""
    lines = table.assign(line="from " + table["source"], mean=table["spearman"], count=2)  # draws, if there are many
    handles: dict[str, Artist] = {}
    for seeds, rows in lines.groupby("seeds"):
        name = f"early's own, {seeds} against {seeds} seeds"
        own = rows.drop_duplicates("epoch").dropna(subset=["ceiling"])
        own = own.assign(line=name, mean=own["ceiling"], low=own["ceiling_low"], high=own["ceiling_high"])
        handles |= draw_lines(axes, own, "epoch", {name: CEILING})
    handles = draw_lines(axes, lines, "epoch", {name: look_of[name] for name in lines["line"]}) | handles
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
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
