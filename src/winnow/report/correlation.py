"""How alike the rankings are: of every two scores, and of one score computed from two disjoint halves of the seeds."""

import math
from collections.abc import Iterable

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.colors import Normalize, to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from winnow.analysis.spread import BAND_IN_WORDS
from winnow.report.axes import STEPS, ticks_within
from winnow.report.heatmap import Scale, heat_map
from winnow.report.marks import draw_lines
from winnow.report.style import (
    LINES,
    MARKERS,
    Look,
    Style,
    drawing,
    legend_below,
    note,
    outer_labels,
    panels,
    score_title,
)

ScoreAtEpoch = tuple[str, int]  # epoch -1 for a score that does not change with training


def in_order(columns: Iterable[ScoreAtEpoch]) -> list[ScoreAtEpoch]:
    """Scores in order of first appearance, each by rising epoch, none twice; those without an epoch last."""
    unique = list(dict.fromkeys(columns))
    first = {score: place for place, score in reversed(list(enumerate(score for score, _ in unique)))}
    return sorted(unique, key=lambda column: (column[1] < 0, first[column[0]], column[1]))


def column_title(score: str, epoch: int) -> str:
    """Such as "EL2N, epoch 5"."""
    return score_title(score) if epoch < 0 else f"{score_title(score)}, epoch {epoch}"


def correlation_figure(table: pd.DataFrame, style: Style) -> Figure:
    """A heat map of the Spearman rank correlation of every two score columns.

    ``table``: one row per ordered pair, columns score_a, epoch_a, score_b, epoch_b and spearman (-1 to 1, NaN where a
    score is constant); epoch -1 means a score without one.
    """
    columns = in_order(zip(table["score_a"], table["epoch_a"], strict=True))
    keys = ["score_a", "epoch_a", "score_b", "epoch_b"]
    matrix = table.set_index(keys)["spearman"].unstack(keys[2:]).reindex(index=columns, columns=columns)
    low = min(0.0, math.floor(5 * np.nanmin(matrix, initial=0.0)) / 5)  # the whole range only where it is used
    ticks = ticks_within(MaxNLocator(8, steps=STEPS), low, 1)
    scale = Scale(Normalize(low, 1), "Spearman rank correlation", ticks, _two_digits, square=True)
    titles = [column_title(*column) for column in columns]
    with drawing(style):
        figure, axes = heat_map(matrix.set_axis(titles).set_axis(titles, axis=1), scale, style)
        for place in range(1, len(columns)):
            if columns[place][0] != columns[place - 1][0]:
                axes.axhline(place - 0.5, color="white", linewidth=2)
                axes.axvline(place - 0.5, color="white", linewidth=2)
        if matrix.isna().any(axis=None):
            note(axes, "hatched: none, as a score is constant", style)
    return figure


def reliability_figure(table: pd.DataFrame, style: Style) -> Figure:
    """How well two rankings from disjoint halves of the seeds agree, against the number of seeds in each half.

    ``table``: columns score, epoch (-1 for none), seeds (in each half), spearman (mean over random splits), low and
    high (16th and 84th percentile over them). One panel per score, one line per epoch.
    """
    scores = list(dict.fromkeys(score for score, _ in in_order(zip(table["score"], table["epoch"], strict=True))))
    epochs = sorted(set(table["epoch"]), key=lambda epoch: (epoch < 0, epoch))
    names = {epoch: "no epoch" if epoch < 0 else f"epoch {epoch}" for epoch in epochs}
    look_of = {name: epoch_look(place, len(epochs) - (-1 in names)) for place, name in enumerate(names.values())}
    lines = table.assign(line=table["epoch"].map(names), mean=table["spearman"], count=2)  # splits, if there are many
    with drawing(style):
        figure, grid = panels(style, len(scores), 3, (3.2, 2.6))
        handles: dict[str, Artist] = {}
        for axes, score in zip(grid, scores, strict=True):
            handles |= draw_lines(axes, lines[lines["score"] == score], "seeds", look_of)
            axes.set_title(score_title(score))
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        grid[0].set_xlim(table["seeds"].min() - 0.3, table["seeds"].max() + 0.3)
        grid[0].set(xlabel="Seeds in each half", ylabel="Spearman rank correlation")
        outer_labels(grid)
        meaning = "rankings from two disjoint halves of the seeds, compared; line: mean"
        note(figure, f"{meaning}\nband: {BAND_IN_WORDS} over random splits", style)
        legend_below(figure, {name: handles[name] for name in look_of}, style)
    return figure


def _two_digits(value: float) -> str:
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "−")


def epoch_look(place: int, epochs: int) -> Look:
    """Of the epochs from dark to light; black without an epoch."""
    color = to_hex(mpl.colormaps["viridis"](0.85 * place / max(epochs - 1, 1))) if place < epochs else "#000000"
    return Look(color, MARKERS[place % len(MARKERS)], LINES[place % len(LINES)])
