"""Spectral densities of the Hessian, level by level."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator, SymmetricalLogLocator

from winnow.report.marks import plain, power, thinned
from winnow.report.spread import BAND, spread
from winnow.report.style import Style, drawing, new_figure, shorten

MOST_LEVELS = 8
DECADES = 3  # of eigenvalues drawn logarithmically, on either side of zero
DEEPEST = 1e-7  # of the highest density, down to which it is drawn, or further, to show the largest eigenvalues,
BOTTOM = 1e-12  # but no further than this
CORE = 1e-4  # of the largest eigenvalue, up to which bells are equally wide, and from which they widen with it
POINTS = 600  # of a density drawn from a quadrature
WIDTH = 0.12  # of the bells it is made of, in the units of the axis, where a factor of e far from zero is 1
FILL, EDGE, TICKS = "#9ecae1", "#0072B2", "#B03A00"


def densities(spectra: Mapping[tuple[str, int], tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
    """The density of eigenvalues by (level, seed), from nodes and weights [probes, steps] of a quadrature each.

    Columns: level, seed, x, density (per unit of eigenvalue), on a grid common to all. Every node becomes a bell of a
    fixed width on the axis asinh(x / c), which is linear below c, 1e-4 of the largest node, and logarithmic above: so
    that small and large eigenvalues are smoothed alike. Empty without spectra.
    """
    if not spectra:
        return pd.DataFrame(columns=["level", "seed", "x", "density"])
    every = np.concatenate([nodes.ravel() for nodes, _ in spectra.values()])
    c = np.abs(every).max() * CORE
    t = np.linspace(np.arcsinh(every.min() / c) - 4 * WIDTH, np.arcsinh(every.max() / c) + 4 * WIDTH, POINTS)
    x = c * np.sinh(t)
    tables = []
    for (level, seed), (nodes, weights) in spectra.items():
        z = (t[:, None] - np.arcsinh(nodes.reshape(1, -1) / c)) / WIDTH
        bells = np.exp(-(z**2) / 2) / (WIDTH * np.sqrt(2 * np.pi))
        density = bells @ weights.reshape(-1) / len(nodes) / np.hypot(x, c)  # the last: dt / dx
        tables.append(pd.DataFrame({"level": level, "seed": seed, "x": x, "density": density}))
    return pd.concat(tables, ignore_index=True)


def whole(largest: np.ndarray, size: int, nodes: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of the whole spectrum of ``size`` eigenvalues, from the largest [k] and those of the others."""
    probes, k = len(nodes), len(largest)
    alone = np.full((probes, k), 1 / size)
    return (
        np.concatenate([nodes, np.broadcast_to(largest, (probes, k))], axis=1),
        np.concatenate([weights * (1 - k / size), alone], axis=1),
    )


def spectra_figure(densities: pd.DataFrame, eigenvalues: pd.DataFrame, style: Style) -> Figure:
    """One panel per level, above each other: density of the Hessian's eigenvalues, and the largest ones as ticks.

    ``densities``: columns level, x (an eigenvalue) and density (per unit of eigenvalue, smoothed), of all eigenvalues;
    of several rows at one x, such as replicates, mean and band are drawn. ``eigenvalues``: the largest ones, columns
    level, seed and eigenvalue; may be empty. Where there are more than 8 levels, so many are shown, spread evenly from
    first to last.

    Raises ValueError if there is no density above zero.
    """
    found = densities.dropna(subset=["density"])
    if not (found["density"] > 0).any():
        raise ValueError("no spectral density")
    every = list(dict.fromkeys(found["level"]))
    levels = thinned(every, MOST_LEVELS)
    found, ticks = (table[table["level"].isin(levels)] for table in (found, eigenvalues))
    low, high = found["x"].min(), max([found["x"].max(), *ticks["eigenvalue"]])
    linear = 10.0 ** (math.floor(math.log10(max(abs(low), abs(high)) or 1.0)) - DECADES)
    highest = float(found["density"].max())
    floor = _floor(found, ticks, highest)
    with drawing(style):
        figure = new_figure(style, 8, 0.95 * len(levels) + 1.2)
        grid = figure.subplots(len(levels), 1, squeeze=False, sharex=True, sharey=True)[:, 0]
        several = False
        for axes, level in zip(grid, levels, strict=True):
            means = spread(found[found["level"] == level], "x", "density")
            x = means["x"].to_numpy(float)
            middle, below, above = (means[name].clip(lower=floor / 10) for name in ("mean", "low", "high"))
            axes.fill_between(x, floor / 10, middle, color=FILL, linewidth=0)
            if means["count"].max() > 1:
                several = True
                axes.fill_between(x, below, above, color=EDGE, alpha=0.35, linewidth=0)
            axes.plot(x, middle, color=EDGE, linewidth=1.1, label=level)
            largest = ticks.loc[ticks["level"] == level, "eigenvalue"].to_numpy(float)
            axes.vlines(largest, 0, 0.22, transform=axes.get_xaxis_transform(), color=TICKS, linewidth=0.8)
            name = shorten(level, 1.6 * style.growth, style.font_size)
            axes.text(0.99, 0.9, name, ha="right", va="top", transform=axes.transAxes, fontweight="bold")
            axes.set_yscale("log")
            axes.set_ylim(floor, 3 * highest)
            axes.yaxis.set_major_locator(LogLocator(numticks=4))
            axes.yaxis.set_minor_locator(NullLocator())
            axes.yaxis.set_major_formatter(FuncFormatter(power))
        last = grid[-1]
        last.set_xscale("symlog", linthresh=linear, linscale=0.6)
        last.xaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=linear))
        last.xaxis.set_minor_locator(NullLocator())
        last.xaxis.set_major_formatter(FuncFormatter(plain))
        last.set_xlim(1.15 * low if low < 0 else 0.9 * low, 1.15 * high if high > 0 else 0.9 * high)
        last.set_xlabel(f"Eigenvalue (linear up to ±{linear:g}, then logarithmic)")
        figure.supylabel("Density\n(per unit eigenvalue)", fontsize=style.font_size)
        meaning = ["line: mean", f"band: {BAND}"] if several else []
        if len(ticks):
            most = int(ticks.groupby(["level", "seed"]).size().max())
            meaning.append(f"ticks: the {most} largest of each seed" if most > 1 else "ticks: the largest of each seed")
        meaning += [f"{len(levels)} of {len(every)} levels"] if len(levels) < len(every) else []
        figure.suptitle("; ".join(meaning), fontsize=style.small, x=0.01, ha="left")
    return figure


def _floor(densities: pd.DataFrame, largest: pd.DataFrame, highest: float) -> float:
    """The least density to be drawn: low enough to see that of the largest eigenvalues."""
    floor = DEEPEST * highest
    for level, eigenvalues in largest.groupby("level")["eigenvalue"]:
        means = spread(densities[densities["level"] == level], "x", "density")
        at = np.interp(eigenvalues, means["x"], means["mean"])
        floor = min(floor, 0.2 * float(at[at > 0].min(initial=np.inf)))
    return max(floor, BOTTOM * highest)
