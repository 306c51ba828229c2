"""How far a network may be moved at its rewind point and still come back to the same mode."""

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from winnow.report.marks import band_note, draw_epsilon, draw_spread, error_axis, given_axis, nothing_drawn
from winnow.report.spread import spread
from winnow.report.style import Style, drawing, legend_below, looks, new_figure, note


def perturbations_figure(perturbations: pd.DataFrame, epsilon: float, style: Style, split: str = "test") -> Figure:
    """Two panels over the length of a random perturbation: barrier to the unperturbed solution, and error.

    ``perturbations``: one row per network, columns level, rewind, rewind_steps, seed, multiple (length, as a multiple
    of that of the projection on the level's own mask), split, error (of the trained network) and barrier (both 0 to 1).
    One line per rewind point, by rising steps, and per level where there are several; a dotted line marks the
    projection's own length. ``epsilon``: 0 to 1, NaN if unknown.

    Raises ValueError if no row is of that split.
    """
    shown = perturbations[perturbations["split"] == split].dropna(subset=["multiple"])
    shown = shown[shown[["error", "barrier"]].notna().any(axis=1)]
    if shown.empty:
        raise ValueError(f"no perturbation of split {split!r}")
    shown = shown.sort_values("rewind_steps", kind="stable")
    names = [
        f"{rewind} ({steps:,.0f} steps)" for rewind, steps in zip(shown["rewind"], shown["rewind_steps"], strict=True)
    ]
    if shown["level"].nunique() > 1:
        names = [f"{name}, {level}" for name, level in zip(names, shown["level"], strict=True)]
    shown = shown.assign(line=names)
    look_of = looks(names)
    with drawing(style):
        figure = new_figure(style, 10, 4.5)
        handles: dict[str, Line2D] = {}
        for axes, quantity in zip(figure.subplots(1, 2), ("barrier", "error"), strict=True):
            values = [100 * epsilon] if quantity == "barrier" else []
            for line, look in look_of.items():
                rows = shown[shown["line"] == line]
                means = spread(rows.assign(percent=100 * rows[quantity]), "multiple", "percent")
                if len(means):
                    handles[line] = draw_spread(axes, means["multiple"].to_numpy(float), means, look, line)
                    values += [*means["mean"], *means["low"], *means["high"]]
            if not any(line.get_label() in look_of for line in axes.lines):
                nothing_drawn(axes, f"no {quantity}")
            if quantity == "barrier":
                draw_epsilon(axes, epsilon)
                error_axis(axes, f"Barrier of the {split} error", values, "points", from_zero=True)
            else:
                error_axis(axes, f"{split.capitalize()} error after training", values)
            axes.axvline(1, color="#999999", linewidth=1, linestyle=":", zorder=1.5)
            given_axis(axes, np.append(shown["multiple"].to_numpy(float), 1.0))
            axes.set_xlabel("Length of the perturbation / length of the projection")
        counts = shown.groupby(["line", "multiple"])["seed"].nunique()
        limit = f"; dashed: epsilon ({100 * epsilon:.2g} points)" if math.isfinite(epsilon) else ""
        note(figure.axes[0], f"to the unperturbed solution{limit}\n{band_note(counts)}", style)
        note(figure.axes[1], "dotted: the length of the projection on the mask", style)
        legend_below(figure, list(handles.values()), list(handles), style)
    return figure
