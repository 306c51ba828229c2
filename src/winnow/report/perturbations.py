"""How far a network may be moved at its rewind point and still come back to the same mode."""

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from winnow.report.marks import band_note, draw_epsilon, draw_spread, error_axis, given_axis, nothing_drawn
from winnow.report.spread import spread
from winnow.report.style import Style, drawing, legend_below, looks, new_figure, note


def perturbations_figure(
    perturbations: pd.DataFrame, references: pd.DataFrame, epsilon: float, style: Style, split: str = "test"
) -> Figure:
    """Two panels over the length of a random perturbation: barrier to the unperturbed solution, and error.

    ``perturbations``: one row per network, columns run, level, rewind, rewind_steps, seed, multiple (length, as a
    multiple of that of the projection on the mask of the level's child), split, error (of the trained network) and
    barrier (both 0 to 1). One line per rewind point, by rising steps, and per level where there are several; a dotted
    line marks the projection's own length. ``references``: one row per run, replicate and split, columns run, seed,
    split, error (of the unperturbed level) and barrier (of the child to the level): the means are drawn as a thin line
    and as a large hollow marker at the projection's length, where there are any. ``epsilon``: 0 to 1, NaN if unknown.

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
    given = 100 * references[references["split"] == split].groupby("run")[["barrier", "error"]].mean()
    run_of = shown.groupby("line")["run"].first()
    unperturbed = given.reindex(run_of).set_index(run_of.index)
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
            for line, look in look_of.items():
                value = float(unperturbed[quantity][line])
                if not math.isfinite(value):
                    continue
                values.append(value)
                if quantity == "barrier":
                    axes.plot(
                        [1], [value], color=look.color, marker=look.marker, markersize=11, markerfacecolor="none",
                        linestyle="", label=f"_{line}, cut",
                    )  # fmt: skip
                else:
                    axes.axhline(
                        value, color=look.color, linestyle=look.line, linewidth=0.8, zorder=1.5,
                        label=f"_{line}, unperturbed",
                    )  # fmt: skip
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
        of_cut = "\nlarge, hollow: of the cut itself" if unperturbed["barrier"].notna().any() else ""
        note(figure.axes[0], f"to the unperturbed solution{limit}\n{band_note(counts)}{of_cut}", style)
        thin = "\nthin: unperturbed" if unperturbed["error"].notna().any() else ""
        note(figure.axes[1], f"dotted: the length of the projection on the mask{thin}", style)
        legend_below(figure, list(handles.values()), list(handles), style)
    return figure
