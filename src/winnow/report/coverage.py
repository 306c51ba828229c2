"""What subsets cover of all images: neighbourhoods, distances, classes, and strata of the score."""

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from winnow.report.axes import given_axis
from winnow.report.correlation import column_title
from winnow.report.heatmap import Scale, heat_map
from winnow.report.marks import draw_lines, in_percent
from winnow.report.style import Look, Style, drawing, legend_below, looks, new_figure, note


def coverage_figure(table: pd.DataFrame, style: Style) -> Figure:
    """Three panels against the fraction kept, a line for each method: the images in a neighbourhood with a kept one,
    the distance to the nearest kept one over that of random subsets, and the smallest fraction kept of a class.

    ``table``: of ``analysis.coverage.beside_random``, with the columns epoch (of EL2N) and space (where neighbourhoods
    are, in words), the same in all rows. Raises ValueError if there is no subset.
    """
    if table.empty:
        raise ValueError("no subset")
    table = in_percent(table, "fraction", "covered")
    table["fraction"] = table["fraction"].map(lambda percent: float(f"{percent:.3g}"))  # numbers of the axis
    look_of = looks(["random", *table["method"]])
    with drawing(style):
        figure = new_figure(style, 11, 4.2)
        panels = figure.subplots(1, 3)
        handles: dict[str, Artist] = {}
        for axes, column in zip(panels, ("covered", "distance_to_random", "smallest_class"), strict=True):
            given_axis(axes, table["fraction"])
            axes.set_xlabel("Fraction of the training images kept (%)")
            handles |= _lines(axes, table, column, look_of)
        panels[0].set(ylabel="Images in a covered neighbourhood (%)", ylim=(0, 104))
        note(panels[0], f"covered: of a cluster with a kept image, by\n{table['space'].iloc[0]}", style)
        panels[1].set(ylabel="Distance to the nearest kept image (ratio)")
        note(panels[1], "mean over all images, there; over that\nof random subsets of the same size", style)
        panels[2].set(ylabel="Fraction kept of the least kept class (ratio)")
        panels[2].set_ylim(bottom=0)
        note(panels[2], "over the fraction kept of all images\n1: every class alike", style)
        legend_below(figure, handles, style)
    return figure


def strata_figure(table: pd.DataFrame, style: Style) -> Figure:
    """A heat map of the smallest fraction kept: how much each method keeps of each tenth of the ranking by EL2N.

    ``table``: as for ``coverage_figure``. Raises ValueError if there is no subset.
    """
    if table.empty:
        raise ValueError("no subset")
    rows = table[np.isclose(table["fraction"], table["fraction"].min())]
    names = [column for column in map(str, table) if column.startswith("stratum_")]
    cells = (100 * rows[names]).set_axis(rows["method"]).set_axis([_tenth(name, len(names)) for name in names], axis=1)
    scale = Scale(PowerNorm(0.5, 0, 100), "% of the stratum kept", (0, 10, 25, 50, 100), "{:.0f}".format)
    with drawing(style):
        figure, axes = heat_map(cells, scale, style)
        ranking = column_title("el2n", int(rows["epoch"].iloc[0]))
        axes.set_xlabel(f"Percentiles of {ranking} (100: highest)")
        note(axes, f"{100 * rows['fraction'].iloc[0]:.3g}% of all kept", style)
    return figure


def _lines(axes: Axes, table: pd.DataFrame, column: str, look_of: dict[str, Look]) -> dict[str, Artist]:
    points = table.dropna(subset=[column]).assign(mean=table[column], low=np.nan, high=np.nan, count=1)
    return draw_lines(axes, points, "fraction", look_of, by="method")


def _tenth(name: str, count: int) -> str:
    """Such as "10-20", of stratum_2 of 10."""
    number = int(name.removeprefix("stratum_"))
    return f"{100 * (number - 1) // count}–{100 * number // count}"
