"""When two children of one network end in the same mode, by the step at which they part."""

import math

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from winnow.report.marks import SPLITS, band_note, draw_epsilon, draw_spread, error_axis, given_axis
from winnow.report.spread import spread
from winnow.report.style import Style, drawing, legend_below, new_figure, note


def spawn_figure(spawn: pd.DataFrame, epsilon: float, style: Style) -> Figure:
    """Barrier between two children of one network, of test and train error, over the step at which they part.

    ``spawn``: one row per step, replicate and split, columns at (steps of the parent), seed, split (train or test) and
    barrier (0 to 1). ``epsilon``: 0 to 1, NaN if unknown.

    Raises ValueError if there is no barrier.
    """
    shown = spawn[spawn["split"].isin(SPLITS)].dropna(subset=["barrier"])
    if shown.empty:
        raise ValueError("no barrier between children")
    shown = shown.assign(percent=100 * shown["barrier"])
    with drawing(style):
        figure = new_figure(style, 7, 4.5)
        axes = figure.subplots()
        handles: dict[str, Line2D] = {}
        for split, look in SPLITS.items():
            rows = shown[shown["split"] == split]
            means = spread(rows, "at", "percent")
            if means.empty:
                continue
            if means["count"].max() > 1:
                axes.scatter(
                    rows["at"], rows["percent"], s=8, color=look.color, alpha=0.4, linewidth=0, zorder=2.6,
                    clip_on=False, in_layout=False,
                )  # fmt: skip
            handles[f"{split} images"] = draw_spread(axes, means["at"].to_numpy(float), means, look, split)
        draw_epsilon(axes, epsilon)
        error_axis(axes, "Barrier between the children", [*shown["percent"], 100 * epsilon], "points", from_zero=True)
        given_axis(axes, shown["at"].to_numpy(float))
        axes.set_xlabel("Steps at which the children part")
        counts = shown.groupby("at")["seed"].nunique()
        dots = "; dots: single seeds" if counts.max() > 1 else ""
        limit = f"\ndashed: epsilon ({100 * epsilon:.2g} points)" if math.isfinite(epsilon) else ""
        note(axes, f"{band_note(counts)}{dots}{limit}", style)
        legend_below(figure, list(handles.values()), list(handles), style)
    return figure
