"""How the scores of all images are distributed: one histogram per score and scored epoch."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from winnow.report.columns import ScoreColumn, score_columns
from winnow.report.style import Style, drawing, legend_below, new_figure

BINS = 30
ALL_COLOR = "#9ecae1"
NOISY_COLOR = "#B03A00"


def distributions_figure(
    scores: pd.DataFrame, style: Style, noisy: np.ndarray | None = None, most_epochs: int = 6
) -> Figure:
    """Histograms of the mean score over seeds, rows of scores and columns of epochs, counts on a logarithmic axis.

    ``scores``: one row per image, with columns ``{score}_epoch{e}_mean`` and, for scores without an epoch,
    ``{score}_mean``; those share the last row. A score of +infinity (an image never learned, in forgetting) is counted
    in a bar of its own at the right, NaN in a line of text. ``noisy``: bool [n], the images whose label was changed,
    drawn on top. Where there are more than ``most_epochs`` epochs, so many are shown, spread evenly from first to last.

    Raises ValueError if there is no score column.
    """
    columns = score_columns(scores.columns)
    if not columns:
        raise ValueError("the table has no score column")
    noisy = None if noisy is None or not np.any(noisy) else np.asarray(noisy, bool)
    epochs = sorted({column.epoch for column in columns if column.epoch >= 0})
    shown = [
        epochs[i] for i in np.unique(np.linspace(0, len(epochs) - 1, min(len(epochs), most_epochs)).round().astype(int))
    ]
    by_epoch = [column for column in columns if column.epoch in shown]
    without = [column for column in columns if column.epoch < 0]
    width = max(len(shown), 1 if shown else min(len(without), most_epochs))
    rows = [[next((c for c in by_epoch if (c.score, c.epoch) == (score, epoch)), None) for epoch in shown]
            for score in dict.fromkeys(column.score for column in by_epoch)]  # fmt: skip
    rows += [[*without[i : i + width]] for i in range(0, len(without), width)]

    with drawing(style):
        figure = new_figure(style, max(2.1 * width + 0.7, 4.5), 1.65 * len(rows) + 0.6)
        grid = figure.subplots(len(rows), width, squeeze=False, sharey=True)
        highest = 1.0
        for panels, row in zip(grid, rows, strict=True):
            shared = [column for column in row if column is not None and column.epoch >= 0]
            for place, axes in enumerate(panels):
                column = row[place] if place < len(row) else None
                if column is None:
                    axes.remove()
                    continue
                together = shared if column.epoch >= 0 else [column]
                names = [c.mean for c in together]
                tallest = _histogram(axes, scores, column, together=names, noisy=noisy, style=style)
                highest = max(highest, tallest)
        grid[0, 0].set_ylim(0.5, 2 * highest)  # all panels share it
        figure.supylabel("Images (logarithmic)", fontsize=style.font_size)
        names, handles = ["all images"], [Patch(facecolor=ALL_COLOR)]
        if noisy is not None:
            names.append(f"label changed ({int(noisy.sum()):,} images)")
            handles.append(Patch(facecolor="none", edgecolor=NOISY_COLOR, hatch="/////"))
        if len(shown) < len(epochs):
            figure.suptitle(f"{len(shown)} of {len(epochs)} scored epochs", fontsize=style.small, x=0.01, ha="left")
        legend_below(figure, handles, names, style)
    return figure


def _histogram(
    axes: Axes,
    scores: pd.DataFrame,
    column: ScoreColumn,
    *,
    together: list[str],
    noisy: np.ndarray | None,
    style: Style,
) -> float:
    """One panel; the columns in ``together`` share its bins, to be read across. Returns the highest bar."""
    row = scores[together].to_numpy(float)
    edges = bin_edges(row[np.isfinite(row)])
    never = np.isposinf(row).any()
    low, high = edges[0], edges[-1]
    slot = (high - low) / 12  # the width of the bar of images never learned
    values = scores[column.mean].to_numpy(float)

    groups: list[tuple[np.ndarray, dict[str, Any]]] = [
        (np.ones(len(values), bool), {"facecolor": ALL_COLOR, "edgecolor": "none"})
    ]
    if noisy is not None:
        groups.append((noisy, {"facecolor": "none", "edgecolor": NOISY_COLOR, "hatch": "/////", "linewidth": 0.8}))
    highest = 1.0
    for chosen, look in groups:
        counts, _ = np.histogram(values[chosen & np.isfinite(values)], edges)
        axes.stairs(counts, edges, fill=True, baseline=0.5, **look)
        infinite = int(np.isposinf(values[chosen]).sum())
        highest = max(highest, counts.max(), infinite)
        if infinite:
            axes.bar(high + 2 * slot, infinite - 0.5, 1.6 * slot, bottom=0.5, **look)
    axes.set_title(column.title)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(numticks=6))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else ""))
    axes.grid(axis="x", visible=False)
    ticks = np.asarray(MaxNLocator(3 if never else 4, steps=[1, 2, 5, 10]).tick_values(low, high))
    ticks = ticks[(ticks >= low) & (ticks <= high)]
    names = [f"{tick:.6g}".replace("-", "−") for tick in ticks]
    if never:
        axes.axvline(high + slot, color="#999999", linewidth=0.8, linestyle=":")
        clear = ticks < high - slot  # no number so far right that it would touch the word
        ticks, names = np.append(ticks[clear], high + 2 * slot), [*np.array(names)[clear], "never"]
        high += 3 * slot
    axes.xaxis.set_major_locator(FixedLocator(list(ticks)))
    axes.set_xticklabels(names)
    axes.set_xlim(low - 0.02 * (high - low), high + 0.02 * (high - low))
    missing = int(np.isnan(values).sum())
    if missing:
        axes.text(
            0.98,
            0.95,
            f"{missing:,} without a score",
            ha="right",
            va="top",
            transform=axes.transAxes,
            fontsize=style.small,
        )
    return float(highest)


def bin_edges(values: np.ndarray) -> np.ndarray:
    """Edges of a histogram's bins over finite values: one bin per value where these are few and even, else 30 bins.

    Counts averaged over a few seeds take few values; bins of any other width would fill in turns, like a comb.
    """
    if not len(values):
        return np.array([0.0, 1.0])
    distinct = np.unique(values.round(6))
    low, high = float(distinct[0]), float(distinct[-1])
    if high == low:
        return np.array([low - 0.5, low + 0.5])
    step = float(np.diff(distinct).min())
    bins = round((high - low) / step) + 1
    if bins <= 2 * BINS and np.allclose((distinct - low) / step, ((distinct - low) / step).round(), atol=1e-3):
        return low + step * (np.arange(bins + 1) - 0.5)
    return np.linspace(float(values.min()), float(values.max()), BINS + 1)
