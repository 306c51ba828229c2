"""How far each ranking agrees with forgetting at the end and with the norm of the input, by the epoch of the score."""

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from winnow.report.axes import PLAIN, given_axis
from winnow.report.marks import draw_levels, draw_lines, nothing_drawn, span
from winnow.report.style import GREY, Style, drawing, legend_below, looks, new_figure, note, panels, score_title
from winnow.scores.seed_scores import NO_EPOCH

COLOR_MAP = "viridis_r"  # dark where there are many
CELLS = 40  # across the picture


def agreement_figure(table: pd.DataFrame, style: Style) -> Figure:
    """Rank correlation of every score with a reference, over the epoch of the score; a panel for each reference.

    ``table``: of ``claims.agreement``, columns reference, reference_epoch, score, epoch (-1 for a score without one,
    which is a level line), spearman, low and high (of a 95% interval) and seeds. Raises ValueError if it is empty.
    """
    if table.empty:
        raise ValueError("no rank correlations")
    lines = table.assign(line=table["score"].map(score_title), mean=table["spearman"], count=table["seeds"])
    look_of = looks(lines["line"])
    references = list(dict.fromkeys(zip(table["reference"], table["reference_epoch"], strict=True)))
    with drawing(style):
        figure, grid = panels(style, len(references), 2, (4.4, 3.4))
        handles: dict[str, Artist] = {}
        for axes, (reference, epoch) in zip(grid, references, strict=True):
            rows = lines[lines["reference"] == reference]
            changing = rows[rows["epoch"] != NO_EPOCH]
            given_axis(axes, lines["epoch"][lines["epoch"] != NO_EPOCH])
            handles |= draw_lines(axes, changing, "epoch", look_of)
            handles |= draw_levels(axes, rows[rows["epoch"] == NO_EPOCH], look_of)
            axes.axhline(0, color=GREY, linewidth=0.8, zorder=1)
            axes.set(xlabel="Epoch of the score (0: initialisation)")
            when = "" if epoch == NO_EPOCH else f" after epoch {epoch}"
            axes.set_ylabel(f"Rank correlation with {score_title(reference)}{when}")
        spread = "; band: 95% interval over seeds" if lines["count"].max() > 1 else ": no interval"
        note(figure, f"Spearman, between the means of {span(lines['count'])}{spread}", style)
        legend_below(figure, {name: handles[name] for name in look_of}, style)
    return figure


def plane_figure(scores: pd.DataFrame, names: tuple[str, str], spearman: str, style: Style) -> Figure:
    """How many images have what values of two scores.

    ``scores``: two columns, of the horizontal and of the vertical axis; ``names``: of these; ``spearman``: their rank
    correlation, in words. Values that are not finite are left out.
    """
    points = scores[np.isfinite(scores).all(axis=1)].to_numpy(float)
    with drawing(style):
        figure = new_figure(style, 5.6, 4.4)
        axes = figure.subplots()
        axes.grid(visible=False)
        axes.set(xlabel=names[0], ylabel=names[1])
        if not len(points):
            nothing_drawn(axes, "no finite values")
            return figure
        cells = axes.hexbin(*points.T, gridsize=CELLS, mincnt=1, cmap=COLOR_MAP, linewidths=0.1)
        cells.set_norm(LogNorm(1, max(2, np.asarray(cells.get_array()).max())))
        bar = figure.colorbar(cells, ax=axes, format=PLAIN)
        bar.set_label("Images")
        bar.minorticks_off()
        note(axes, f"rank correlation {spearman}", style)
    return figure
