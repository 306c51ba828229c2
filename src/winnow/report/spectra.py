"""Spectral densities of the Hessian, level by level."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, SymmetricalLogLocator

from winnow.analysis.spread import BAND_IN_WORDS
from winnow.report.axes import PLAIN
from winnow.report.marks import some_of
from winnow.report.style import Style, drawing, new_figure, note, shorten

MOST_LEVELS = 8
DECADES = 3  # of eigenvalues drawn logarithmically, on either side of zero
DEEPEST = 1e-7  # of the highest density, down to which it is drawn, or further, to show the largest eigenvalues,
BOTTOM = 1e-12  # but no further than this
FILL, EDGE, TICKS = "#9ecae1", "#0072B2", "#B03A00"


def spectra_figure(densities: pd.DataFrame, eigenvalues: pd.DataFrame, style: Style) -> Figure:
    """One panel per level, above each other: density of the Hessian's eigenvalues, and the largest ones as ticks.

    ``densities``: columns level, x (an eigenvalue) and mean, low, high and count of the density (per unit of
    eigenvalue, smoothed) over replicates. ``eigenvalues``: the largest ones, columns level, seed and eigenvalue; may be
    empty. Where there are more than 8 levels, so many are shown, spread evenly from first to last.

    Raises ValueError if there is no density above zero.
    """
    if not (densities["mean"] > 0).any():
        raise ValueError("no spectral density")
    levels, more = some_of(densities["level"], MOST_LEVELS, "levels")
    found, largest = (table[table["level"].isin(levels)] for table in (densities, eigenvalues))
    with drawing(style):
        figure = new_figure(style, 8, 0.95 * len(levels) + 1.2)
        grid = figure.subplots(len(levels), 1, squeeze=False, sharex=True, sharey=True)[:, 0]
        floor = _floor(found, largest)
        for axes, level in zip(grid, levels, strict=True):
            of_level = largest.loc[largest["level"] == level, "eigenvalue"]
            _draw_density(axes, found[found["level"] == level], of_level, floor)
            name = shorten(level, 1.6 * style.growth, style.font_size)
            axes.text(0.99, 0.9, name, ha="right", va="top", transform=axes.transAxes, fontweight="bold")
        grid[0].set_ylim(floor, 3 * found["high"].max())
        _eigenvalue_axis(grid[-1], np.append(found["x"], largest["eigenvalue"]))
        figure.supylabel("Density\n(per unit eigenvalue)", fontsize=style.font_size)
        meaning = ["line: mean", f"band: {BAND_IN_WORDS}"] if found["count"].max() > 1 else []
        if len(largest):
            most = int(largest.groupby(["level", "seed"]).size().max())
            meaning.append(f"ticks: the {most} largest of each seed" if most > 1 else "ticks: the largest of each seed")
        note(figure, ("; ".join(meaning) + more).removeprefix("; "), style)
    return figure


def _draw_density(axes: Axes, density: pd.DataFrame, largest: pd.Series, floor: float) -> None:
    """One panel, on a logarithmic axis from ``floor`` up."""
    middle, below, above = (density[name].clip(lower=floor / 10) for name in ("mean", "low", "high"))
    axes.fill_between(density["x"], floor / 10, middle, color=FILL, linewidth=0)
    if density["count"].max() > 1:
        axes.fill_between(density["x"], below, above, color=EDGE, alpha=0.35, linewidth=0)
    axes.plot(density["x"], middle, color=EDGE, linewidth=1.1)
    axes.vlines(largest, 0, 0.22, transform=axes.get_xaxis_transform(), color=TICKS, linewidth=0.8)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(numticks=4))
    axes.yaxis.set_major_formatter(FuncFormatter(power))
    axes.minorticks_off()


def _eigenvalue_axis(axes: Axes, values: np.ndarray) -> None:
    """Eigenvalues on a logarithmic axis on either side of zero, linear near it."""
    low, high = values.min(), values.max()
    linear = 10.0 ** (math.floor(math.log10(max(abs(low), abs(high)) or 1.0)) - DECADES)
    axes.set_xscale("symlog", linthresh=linear, linscale=0.6)
    axes.xaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=linear))
    axes.minorticks_off()
    axes.xaxis.set_major_formatter(PLAIN)
    axes.set_xlim(1.15 * low if low < 0 else 0.9 * low, 1.15 * high if high > 0 else 0.9 * high)
    axes.set_xlabel(f"Eigenvalue (linear up to ±{linear:g}, then logarithmic)")


def _floor(densities: pd.DataFrame, largest: pd.DataFrame) -> float:
    """The least density to be drawn: low enough to see that of the largest eigenvalues."""
    highest = float(densities["mean"].max())
    floor = DEEPEST * highest
    for level, eigenvalues in largest.groupby("level")["eigenvalue"]:
        means = densities[densities["level"] == level]
        at = np.interp(eigenvalues, means["x"], means["mean"])
        floor = min(floor, 0.2 * float(at[at > 0].min(initial=np.inf)))
    return max(floor, BOTTOM * highest)


def power(value: float, _: object = None) -> str:
    """A power of ten on an axis, such as 10⁻³."""
    return "10" + str(round(math.log10(value))).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
