"""How the scores of all images are distributed: one histogram per score and scored epoch."""

from itertools import zip_longest
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, MaxNLocator

from winnow.report.axes import PLAIN, STEPS, ticks_within
from winnow.report.correlation import ScoreAtEpoch, column_title, in_order
from winnow.report.marks import some_of
from winnow.report.style import Style, drawing, legend_below, new_figure, note

MOST_EPOCHS = 6
FILLED: dict[str, Any] = {"facecolor": "#9ecae1", "edgecolor": "none"}
LOOKS = {
    "all": FILLED,
    "unchanged": FILLED,
    "changed": {"facecolor": "none", "edgecolor": "#B03A00", "hatch": "/////", "linewidth": 0.8},
}
NAMES = {"all": "all images", "unchanged": "label not changed", "changed": "label changed"}


def distributions_figure(histograms: pd.DataFrame, style: Style) -> Figure:
    """Histograms of the mean score over seeds, rows of scores and columns of epochs, on a logarithmic axis: counts, or
    where labels were changed percentages of the images whose label was changed, and of the others.

    ``histograms``: columns score, epoch (-1 for a score without one; those share the last row), images ("all", or
    "unchanged" and "changed", drawn on top), low, high and count. The images of the bin at +infinity (never learned, in
    forgetting) are a bar of their own at the right, those of the bin at NaN a line of text. Where there are more than 6
    epochs, so many are shown, spread evenly from first to last.

    Raises ValueError if there is no score.
    """
    if histograms.empty:
        raise ValueError("the table has no score")
    columns = in_order(zip(histograms["score"], histograms["epoch"], strict=True))
    epochs = sorted({epoch for _, epoch in columns if epoch >= 0})
    shown, more = some_of(epochs, MOST_EPOCHS, "scored epochs")
    rows = _rows(columns, shown)
    width = max(map(len, rows))
    several = histograms["images"].nunique() > 1
    bins, one = _with_heights(histograms, several)
    of_column = dict(list(bins.groupby(["score", "epoch"], sort=False)))
    with drawing(style):
        figure = new_figure(style, max(2.1 * width + 0.7, 4.5), 1.65 * len(rows) + 0.6)
        grid = figure.subplots(len(rows), width, squeeze=False, sharey=True)
        for panels, row in zip(grid, rows, strict=True):
            for axes, column in zip_longest(panels, row):
                if column in of_column:
                    _histogram(axes, of_column[column], column_title(*column), one / 2, style)
                else:
                    axes.remove()
        grid[0, 0].set_ylim(one / 2, 2 * max(one, bins["height"].max()))  # all panels share it
        figure.supylabel(f"Images ({'% of each group, ' * several}logarithmic)", fontsize=style.font_size)
        sums = of_column[columns[0]].groupby("images", sort=False)["count"].sum()
        handles = {
            NAMES[images] + (f" ({sums[images]:,} images)" if several else ""): Patch(**look)
            for images, look in LOOKS.items()
            if sums.get(images)
        }
        if more:
            note(figure, more.removeprefix("; "), style)
        legend_below(figure, handles, style)
    return figure


def _with_heights(histograms: pd.DataFrame, several: bool) -> tuple[pd.DataFrame, float]:
    """The table with the column height, a count, or where there are several groups of images a percentage of the group
    in the panel; and the lowest height of one image."""
    sizes = histograms.groupby(["score", "epoch", "images"])["count"].transform("sum").clip(lower=1)
    height = 100 * histograms["count"] / sizes if several else histograms["count"]
    return histograms.assign(height=height), 100 / int(sizes.max()) if several else 1


def _rows(columns: list[ScoreAtEpoch], epochs: list[int]) -> list[list[ScoreAtEpoch]]:
    """What stands in each row of panels: a score at these epochs, then scores without one."""
    by_epoch = dict.fromkeys(score for score, epoch in columns if epoch in epochs)
    without = [column for column in columns if column[1] < 0]
    width = max(len(epochs), 1 if epochs else min(len(without), MOST_EPOCHS))
    rows: list[list[ScoreAtEpoch]] = [[(score, epoch) for epoch in epochs] for score in by_epoch]
    return rows + [without[i : i + width] for i in range(0, len(without), width)]


def _histogram(axes: Axes, bins: pd.DataFrame, title: str, floor: float, style: Style) -> None:
    """One panel, of bins with their height; floor: where the logarithmic axis begins."""
    within = bins[np.isfinite(bins["low"])]
    low, high = within["low"].min(), within["high"].max()
    slot = (high - low) / 12  # the width of the bar of images never learned
    ends = high
    for images, look in LOOKS.items():
        own = within[within["images"] == images]
        if len(own):
            axes.stairs(own["height"], [*own["low"], high], fill=True, baseline=floor, **look)
        for height in bins.loc[(bins["images"] == images) & np.isposinf(bins["low"]), "height"]:
            ends = high + 3 * slot
            if height:
                axes.bar(high + 2 * slot, height - floor, 1.6 * slot, bottom=floor, **look)
    axes.set_title(title)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(numticks=6))
    axes.yaxis.set_major_formatter(PLAIN)
    axes.grid(axis="x", visible=False)
    _score_axis(axes, (low, high, ends), slot)
    missing = bins.loc[bins["low"].isna(), "count"].sum()
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
