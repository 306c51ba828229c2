"""How far a network may be moved at its rewind point and still come back to the same mode."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from winnow.report.axes import error_axis, given_axis
from winnow.report.marks import band_note, draw_epsilon, draw_lines, drawn_values, in_percent, nothing_drawn
from winnow.report.style import Look, Style, drawing, legend_below, looks, new_figure, note


def perturbations_figure(curves: pd.DataFrame, epsilon: float, style: Style) -> Figure:
    """Two panels over the length of a random perturbation: barrier to the unperturbed solution, and test error.

    ``curves``: columns quantity (barrier or error), run, level, rewind, rewind_steps, multiple (length, as a multiple
    of that of the projection on the mask of the level's child), mean, low, high, count and reference: the error of the
    unperturbed level, drawn as a thin line, and the barrier of the child to the level, a large hollow marker at the
    projection's length (fractions, NaN if unknown). One line per run, by rising steps of its rewind point; a dotted
    line marks the projection's own length. ``epsilon``: a fraction, NaN if unknown.

    Raises ValueError if there is no perturbation.
    """
    if curves.empty:
        raise ValueError("no perturbation")
    lines = in_percent(curves, "mean", "low", "high", "reference").sort_values("rewind_steps", kind="stable")
    lines = lines.assign(line=_names(lines))
    barriers, errors = (lines[lines["quantity"] == quantity] for quantity in ("barrier", "error"))
    look_of = looks(lines["line"])
    with drawing(style):
        figure = new_figure(style, 10, 4.5)
        left, right = figure.subplots(1, 2)
        handles = draw_lines(left, barriers, "multiple", look_of) | draw_lines(right, errors, "multiple", look_of)
        for name, look, value in _references(barriers, look_of):
            left.plot(1, value, color=look.color, marker=look.marker, markersize=11, markerfacecolor="none",
                      linestyle="", label=f"_{name}, cut")  # fmt: skip
        for name, look, value in _references(errors, look_of):
            right.axhline(value, color=look.color, linestyle=look.line, linewidth=0.8, zorder=1.5,
                          label=f"_{name}, unperturbed")  # fmt: skip
        limit = draw_epsilon(left, epsilon)
        values = drawn_values(barriers, *barriers["reference"], 100 * epsilon)
        error_axis(left, "Barrier of the test error", values, "points", from_zero=True)
        error_axis(right, "Test error after training", drawn_values(errors, *errors["reference"]))
        if barriers.empty:
            nothing_drawn(left, "no barrier")
        for axes in (left, right):
            axes.axvline(1, color="#999999", linewidth=1, linestyle=":", zorder=1.5)
            given_axis(axes, [*lines["multiple"], 1.0])
            axes.set_xlabel("Length of the perturbation / length of the projection")
        of_cut = "\nlarge, hollow: of the cut itself" if barriers["reference"].notna().any() else ""
        note(left, f"to the unperturbed solution{limit}\n{band_note(lines['count'])}{of_cut}", style)
        thin = "\nthin: unperturbed" if errors["reference"].notna().any() else ""
        note(right, f"dotted: the length of the projection on the mask{thin}", style)
        legend_below(figure, handles, style)
    return figure


def _references(rows: pd.DataFrame, look_of: Mapping[str, Look]) -> list[tuple[str, Look, float]]:
    """By line what it is compared with, where that is known."""
    found = rows.dropna(subset=["reference"]).groupby("line")["reference"].first()
    return [(name, look, found[name]) for name, look in look_of.items() if name in found.index]


def _names(lines: pd.DataFrame) -> pd.Series:
    """A name for the line of each row: its rewind point, and what else tells the runs apart."""
    names = lines["rewind"] + lines["rewind_steps"].map(" ({:,.0f} steps)".format)
    if lines["level"].nunique() > 1:
        names += ", " + lines["level"]
    return names if names.nunique() == lines["run"].nunique() else names + ", " + lines["run"]
