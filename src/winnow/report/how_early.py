"""How early a score may be taken, and over how many networks averaged: accuracy against either, at a fixed keep."""

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from winnow.analysis.how_early import along
from winnow.report.axes import given_axis
from winnow.report.marks import band_note, draw_levels, draw_lines, in_percent
from winnow.report.style import Style, drawing, legend_below, looks, note, outer_labels, panels, score_title
from winnow.scores.seed_scores import NO_EPOCH


def how_early_figure(table: pd.DataFrame, style: Style) -> Figure:
    """Test accuracy against the epoch of the score, a line for each score and number of seeds averaged.

    ``table``: of ``analysis.how_early``. A panel for each keep at which there are two epochs of a score. Raises
    ValueError if there is none.
    """
    named = table.assign(line=table["score"].map(score_title) + ", " + table["seeds"].map(_of_seeds))
    return _figure(named, "epoch", "Epoch of the score (0: initialisation)", style)


def how_many_figure(table: pd.DataFrame, style: Style) -> Figure:
    """Likewise against the number of seeds averaged, a line for each score and epoch."""
    named = table.assign(line=table["score"].map(score_title) + ", epoch " + table["epoch"].astype(str))
    return _figure(named, "seeds", "Networks that the score is a mean of", style)


def _of_seeds(seeds: int) -> str:
    return f"mean of {seeds} network{'' if seeds == 1 else 's'}"


def _figure(table: pd.DataFrame, x: str, name: str, style: Style) -> Figure:
    lines = in_percent(along(table, x))
    if lines.empty:
        raise ValueError(f"no two accuracies that differ in {x} alone")
    levels = in_percent(table[table["epoch"] == NO_EPOCH])
    levels = levels.assign(line=levels["score"].replace("full", "all images").map(score_title))
    fractions = sorted(lines["fraction"].unique())
    look_of = looks([*lines["line"], *levels["line"]]) | {"all images": looks(["full"])["full"]}
    with drawing(style):
        figure, grid = panels(style, len(fractions), 3, (4.2, 3.2))
        handles: dict[str, Artist] = {}
        for axes, fraction in zip(grid, fractions, strict=True):
            rows = lines[lines["fraction"] == fraction]
            given_axis(axes, lines[x])
            handles |= draw_lines(axes, rows, x, look_of)
            of_keep = levels[(levels["fraction"] == fraction) | (levels["score"] == "full")]
            handles |= draw_levels(axes, of_keep, look_of)
            axes.set_title(f"{100 * fraction:.3g}% of the images kept", loc="right")
        grid[0].set(xlabel=name, ylabel="Test accuracy (%)")
        outer_labels(grid)
        note(figure, _meaning(lines), style)
        legend_below(figure, handles, style)
    return figure


def _meaning(lines: pd.DataFrame) -> str:
    groups = lines["groups"].max()
    single = "by one group of scoring networks: the spread is that of retraining"
    several = f"by up to {groups} groups of scoring networks: the spread is of retraining and of scores"
    marks = band_note(lines["count"]).replace("seed", "retrained network")
    return f"{marks}\n{single if groups == 1 else several}"
