"""How far a network may be moved at its rewind point and still come back to the same mode."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from winnow.report.axes import error_axis, given_axis
from winnow.report.marks import band_note, draw_epsilon, draw_lines, drawn_values, in_percent, nothing_drawn
from winnow.report.style import Look, Style, drawing, legend_below, looks, new_figure, note


def perturbations_figure(curves: pd.DataFrame, references: pd.DataFrame, epsilon: float, style: Style) -> Figure:
    """Two panels over the length of a random perturbation: barrier to the unperturbed solution, and test error.

    ``curves``: columns quantity (barrier or error), run, level, rewind, rewind_steps, multiple (length, as a multiple
    of that of the projection on the mask of the level's child), mean, low, high (fractions) and count. One line per
    rewind point, by rising steps, and per level where there are several; a dotted line marks the projection's own
    length. ``references``: one row per run, columns run, error (of the unperturbed level) and barrier (of the child to
    the level), NaN if unknown: drawn as a thin line and as a large hollow marker at the projection's length.
    ``epsilon``: a fraction, NaN if unknown.

    Raises ValueError if there is no perturbation.
    """
    if curves.empty:
        raise ValueError("no perturbation")
    lines = in_percent(curves).sort_values("rewind_steps", kind="stable")
    lines = lines.assign(line=_names(lines))
    given = in_percent(references, "error", "barrier").set_index("run").reindex(lines["run"].unique())
    given = given.set_axis(lines["line"].unique())
    look_of = looks(lines["line"])
    with drawing(style):
        figure = new_figure(style, 10, 4.5)
        handles: dict[str, Artist] = {}
        panels = dict(zip(("barrier", "error"), figure.subplots(1, 2), strict=True))
        for quantity, axes in panels.items():
            rows = lines[lines["quantity"] == quantity]
            handles |= draw_lines(axes, rows, "multiple", look_of)
            values = drawn_values(rows, *given[quantity])
            if rows.empty:
                nothing_drawn(axes, f"no {quantity}")
            if quantity == "barrier":
                limit = draw_epsilon(axes, epsilon)
                _draw_cuts(axes, given["barrier"].dropna(), look_of)
                error_axis(axes, "Barrier of the test error", [*values, 100 * epsilon], "points", from_zero=True)
            else:
                _draw_unperturbed(axes, given["error"].dropna(), look_of)
                error_axis(axes, "Test error after training", values)
            axes.axvline(1, color="#999999", linewidth=1, linestyle=":", zorder=1.5)
            given_axis(axes, [*lines["multiple"], 1.0])
            axes.set_xlabel("Length of the perturbation / length of the projection")
        of_cut = "\nlarge, hollow: of the cut itself" if given["barrier"].notna().any() else ""
        limit = f"; {limit}" if limit else ""
        note(panels["barrier"], f"to the unperturbed solution{limit}\n{band_note(lines['count'])}{of_cut}", style)
        thin = "\nthin: unperturbed" if given["error"].notna().any() else ""
        note(panels["error"], f"dotted: the length of the projection on the mask{thin}", style)
        legend_below(figure, handles, style)
    return figure


def _names(lines: pd.DataFrame) -> pd.Series:
    """A name for the line of each row: its rewind point, and what else tells the runs apart."""
    names = lines["rewind"] + lines["rewind_steps"].map(" ({:,.0f} steps)".format)
    if lines["level"].nunique() > 1:
        names += ", " + lines["level"]
    return names if names.nunique() == lines["run"].nunique() else names + ", " + lines["run"]


def _draw_cuts(axes: Axes, barriers: pd.Series, look_of: Mapping[str, Look]) -> None:
    """Large hollow markers at the length of the projection."""
    for name, value in barriers.items():
        look = look_of[str(name)]
        axes.plot([1], [value], color=look.color, marker=look.marker, markersize=11, markerfacecolor="none",
                  linestyle="", label=f"_{name}, cut")  # fmt: skip


def _draw_unperturbed(axes: Axes, errors: pd.Series, look_of: Mapping[str, Look]) -> None:
    """Thin level lines."""
    for name, value in errors.items():
        look = look_of[str(name)]
        axes.axhline(value, color=look.color, linestyle=look.line, linewidth=0.8, zorder=1.5,
                     label=f"_{name}, unperturbed")  # fmt: skip
