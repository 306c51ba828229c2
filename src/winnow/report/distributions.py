"""How the scores of all images are distributed: one histogram per score and scored epoch."""

from itertools import zip_longest
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, MaxNLocator, StrMethodFormatter

from winnow.report.axes import PLAIN, STEPS, ticks_within
from winnow.report.correlation import ScoreAtEpoch, column_title, in_order
from winnow.report.marks import some_of
from winnow.report.style import Style, drawing, legend_below, new_figure, note

MOST_EPOCHS = 6
LOOKS: dict[str, dict[str, Any]] = {
    "all": {"facecolor": "#9ecae1", "edgecolor": "none"},
    "changed": {"facecolor": "none", "edgecolor": "#B03A00", "hatch": "/////", "linewidth": 0.8},
}


def distributions_figure(histograms: pd.DataFrame, style: Style) -> Figure:
    """Histograms of the mean score over seeds, rows of scores and columns of epochs, counts on a logarithmic axis.

    ``histograms``: columns score, epoch (-1 for a score without one; those share the last row), images ("all" or
    "changed", drawn on top), low, high and count. The images of the bin at +infinity (never learned, in forgetting) are
    a bar of their own at the right, those of the bin at NaN a line of text. Where there are more than 6 epochs, so many
    are shown, spread evenly from first to last.

    Raises ValueError if there is no score.
    """
    if histograms.empty:
        raise ValueError("the table has no score")
    columns = in_order(zip(histograms["score"], histograms["epoch"], strict=True))
    epochs = sorted({epoch for _, epoch in columns if epoch >= 0})
    shown, more = some_of(epochs, MOST_EPOCHS, "scored epochs")
    rows = _rows(columns, shown)
    width = max(map(len, rows))
    of_column = dict(list(histograms.groupby(["score", "epoch"], sort=False)))
    with drawing(style):
        figure = new_figure(style, max(2.1 * width + 0.7, 4.5), 1.65 * len(rows) + 0.6)
        grid = figure.subplots(len(rows), width, squeeze=False, sharey=True)
        for panels, row in zip(grid, rows, strict=True):
            for axes, column in zip_longest(panels, row):
                if column in of_column:
                    _histogram(axes, of_column[column], column_title(*column), style)
                else:
                    axes.remove()
        grid[0, 0].set_ylim(0.5, 2 * max(1, histograms["count"].max()))  # all panels share it
        figure.supylabel("Images (logarithmic)", fontsize=style.font_size)
        handles = {"all images": Patch(**LOOKS["all"])}
        first = of_column[columns[0]]
        if changed := int(first.loc[first["images"] == "changed", "count"].sum()):
            handles[f"label changed ({changed:,} images)"] = Patch(**LOOKS["changed"])
        if more:
            note(figure, more.removeprefix("; "), style)
        legend_below(figure, handles, style)
    return figure


def _rows(columns: list[ScoreAtEpoch], epochs: list[int]) -> list[list[ScoreAtEpoch]]:
    """What stands in each row of panels: a score at these epochs, then scores without one."""
    by_epoch = dict.fromkeys(score for score, epoch in columns if epoch in epochs)
    without = [column for column in columns if column[1] < 0]
    width = max(len(epochs), 1 if epochs else min(len(without), MOST_EPOCHS))
    rows: list[list[ScoreAtEpoch]] = [[(score, epoch) for epoch in epochs] for score in by_epoch]
    return rows + [without[i : i + width] for i in range(0, len(without), width)]


def _histogram(axes: Axes, bins: pd.DataFrame, title: str, style: Style) -> None:
    """One panel."""
    within = bins[np.isfinite(bins["low"])]
    low, high = within["low"].min(), within["high"].max()
    slot = (high - low) / 12  # the width of the bar of images never learned
    ends = high
    for images, look in LOOKS.items():
        own = within[within["images"] == images]
        if len(own):
            axes.stairs(own["count"], [*own["low"], high], fill=True, baseline=0.5, **look)
        for count in bins.loc[(bins["images"] == images) & np.isposinf(bins["low"]), "count"]:
            ends = high + 3 * slot
            if count:
                axes.bar(high + 2 * slot, count - 0.5, 1.6 * slot, bottom=0.5, **look)
    axes.set_title(title)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(numticks=6))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.grid(axis="x", visible=False)
    _score_axis(axes, (low, high, ends), slot)
    missing = bins.loc[(bins["images"] == "all") & bins["low"].isna(), "count"].sum()
    if missing:
        text = f"{missing:,} without a score"
        axes.text(0.98, 0.95, text, ha="right", va="top", transform=axes.transAxes, fontsize=style.small)


def _score_axis(axes: Axes, ends: tuple[float, float, float], slot: float) -> None:
    """Numbers from the lowest to the highest score, and a word below the bar beyond it, if the axis ends further on."""
    low, high, end = ends
    never = bool(end > high)
    ticks = ticks_within(MaxNLocator(3 if never else 4, steps=STEPS), low, high)
    if never:
        axes.axvline(high + slot, color="#999999", linewidth=0.8, linestyle=":")
        ticks = ticks[ticks < high - slot]  # no number so far right that it would touch the word
    names = [PLAIN(tick) for tick in ticks] + ["never"] * never
    axes.set_xticks(np.append(ticks, [high + 2 * slot] * never), names)
    axes.minorticks_off()
    axes.set_xlim(low - 0.02 * (end - low), end + 0.02 * (end - low))
