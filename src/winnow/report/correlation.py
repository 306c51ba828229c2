"""How alike the rankings are: of every two scores, and of one score computed from two disjoint halves of the seeds."""

import math

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from winnow.report.columns import ScoreColumn, in_order
from winnow.report.style import LINES, MARKERS, Style, drawing, legend_below, new_figure, note, score_title, text_width

COLOR_MAP = "cividis"  # even in lightness, so it reads the same in grey and to the colour-blind
MOST_WITH_NUMBERS = 20  # columns up to which every cell also holds its number


def correlation_figure(table: pd.DataFrame, style: Style) -> Figure:
    """A heat map of the Spearman rank correlation of every two score columns.

    ``table``: columns score_a, epoch_a, score_b, epoch_b and spearman (-1 to 1, NaN where a score is constant); epoch
    -1 means a score without one. Each pair may be given once or in both orders, a column with itself may be left out.
    """
    columns, matrix = correlation_matrix(table)
    count = len(columns)
    numbers = count <= MOST_WITH_NUMBERS
    finite = matrix[np.isfinite(matrix)]
    low = min(0.0, math.floor(5 * finite.min(initial=0.0)) / 5)  # the whole range only where it is used

    with drawing(style):
        labels = [column.title for column in columns]
        longest = max(text_width(label, style.small) for label in labels) / style.growth
        side = (0.42 if numbers else 0.19) * count
        figure = new_figure(style, max(side + longest + 1.2, 4.0), max(side + longest + 0.4, 3.0))
        axes = figure.subplots()
        axes.grid(visible=False)
        axes.patch.set(facecolor="white", edgecolor="#bbbbbb", hatch="/////")  # shows where there is no number
        image = axes.imshow(np.ma.masked_invalid(matrix), cmap=COLOR_MAP, vmin=low, vmax=1, interpolation="nearest")
        axes.set_xticks(range(count), labels, rotation=90)
        axes.set_yticks(range(count), labels)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        for place in range(1, count):
            if columns[place].score != columns[place - 1].score:
                axes.axhline(place - 0.5, color="white", linewidth=2)
                axes.axvline(place - 0.5, color="white", linewidth=2)
        if numbers:
            for (row, column), value in np.ndenumerate(matrix):
                if np.isfinite(value):
                    dark = (value - low) / (1 - low) < 0.5
                    text = f"{value:.2f}".replace("-0.00", "0.00").replace("-", "−")
                    axes.text(
                        column,
                        row,
                        text,
                        ha="center",
                        va="center",
                        fontsize=style.small,
                        color="white" if dark else "black",
                    )
        bar = figure.colorbar(image, ax=axes, shrink=min(1.0, 3 / side), aspect=16)
        bar.set_label("Spearman rank correlation")
        bar.outline.set_visible(False)
        if not np.isfinite(matrix).all():
            note(axes, "hatched: none, as a score is constant", style)
    return figure


def correlation_matrix(table: pd.DataFrame) -> tuple[list[ScoreColumn], np.ndarray]:
    """The score columns in order, and their symmetric correlation matrix [n, n]; NaN where the table has no value."""
    rows = table[["score_a", "epoch_a", "score_b", "epoch_b", "spearman"]].itertuples(index=False, name=None)
    pairs = [(ScoreColumn(a, int(i)), ScoreColumn(b, int(j)), float(value)) for a, i, b, j, value in rows]
    # each first column before all second ones, so that a table of the upper triangle keeps the order of its columns
    columns = in_order([*(a for a, _, _ in pairs), *(b for _, b, _ in pairs)])
    place = {column: i for i, column in enumerate(columns)}
    matrix = np.full((len(columns), len(columns)), np.nan)
    for a, b, value in pairs:
        matrix[place[a], place[b]] = matrix[place[b], place[a]] = value
    ranked = np.isfinite(matrix).any(axis=1)  # a constant score has no ranking, not even with itself
    matrix[ranked, ranked] = 1.0
    return columns, matrix


def reliability_figure(
    table: pd.DataFrame, style: Style, band: str = "16th to 84th percentile over random splits"
) -> Figure:
    """How well two rankings from disjoint halves of the seeds agree, against the number of seeds in each half.

    ``table``: columns score, epoch (-1 for none), seeds (in each half), spearman, low and high; ``band`` says what low
    and high are. One panel per score, one line per epoch.
    """
    columns = in_order(
        ScoreColumn(score, int(epoch)) for score, epoch in zip(table["score"], table["epoch"], strict=True)
    )
    scores = list(dict.fromkeys(column.score for column in columns))
    epochs = sorted({column.epoch for column in columns if column.epoch >= 0})
    shades = mpl.colormaps["viridis"](np.linspace(0, 0.85, max(len(epochs), 1)))
    color_of = {epoch: to_hex(shade) for epoch, shade in zip(epochs, shades, strict=False)} | {-1: "#000000"}
    across = min(len(scores), 3)
    down = math.ceil(len(scores) / across)

    with drawing(style):
        figure = new_figure(style, max(3.2 * across + 0.4, 5.0), 2.6 * down + 0.9)
        grid = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
        handles: dict[str, Line2D] = {}
        for number, axes in enumerate(grid.flat):
            if number >= len(scores):
                axes.remove()
                continue
            for column in columns:
                if column.score != scores[number]:
                    continue
                rows = table[(table["score"] == column.score) & (table["epoch"] == column.epoch)].sort_values("seeds")
                place = epochs.index(column.epoch) if column.epoch in epochs else 0
                color = color_of[column.epoch]
                seeds, low, high = (rows[name].to_numpy(float) for name in ("seeds", "low", "high"))
                if len(seeds) > 1:
                    axes.fill_between(seeds, low, high, color=color, alpha=0.15, linewidth=0)
                else:
                    axes.vlines(seeds, low, high, color=color, alpha=0.4, linewidth=3)
                label = "no epoch" if column.epoch < 0 else f"epoch {column.epoch}"
                (handles[label],) = axes.plot(
                    seeds, rows["spearman"], color=color, marker=MARKERS[place % len(MARKERS)],
                    linestyle=LINES[place % len(LINES)], markersize=4.5, label=column.title,
                )  # fmt: skip
            axes.set_title(score_title(scores[number]))
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
            if number + across >= len(scores):
                axes.set_xlabel("Seeds in each half")
                axes.tick_params(labelbottom=True)
        seeds_of_all = table["seeds"].to_numpy(float)
        grid.flat[0].set_xlim(seeds_of_all.min() - 0.3, seeds_of_all.max() + 0.3)
        for axes in grid[:, 0]:
            axes.set_ylabel("Spearman rank correlation")
        meaning = "rankings from two disjoint halves of the seeds, compared; line: mean"
        figure.suptitle(f"{meaning}\nband: {band}", fontsize=style.small, x=0.01, ha="left")
        legend_below(figure, list(handles.values()), list(handles), style)
    return figure
