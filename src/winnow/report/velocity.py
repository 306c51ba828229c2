"""How fast the kernel turns of images that are easy, and of those that are hard."""

import pandas as pd
from matplotlib.figure import Figure

from winnow.report.axes import error_axis
from winnow.report.correlation import epoch_look
from winnow.report.marks import band_note, draw_lines, drawn_values
from winnow.report.style import Style, drawing, legend_below, new_figure, note, score_title


def velocity_figure(velocities: pd.DataFrame, score: str, style: Style) -> Figure:
    """Kernel velocity over the percentile of the score, a line for each step from one epoch to the next.

    ``velocities``: columns epoch, next_epoch, percentile (0 to 100, of a group of images), mean, low, high and count
    over seeds. ``score``: its name. Raises ValueError if there is no velocity.
    """
    if velocities.empty:
        raise ValueError("no velocity")
    steps = list(dict.fromkeys(zip(velocities["epoch"], velocities["next_epoch"], strict=True)))
    names = {step: f"epoch {step[0]} to {step[1]}" for step in sorted(steps)}
    look_of = {name: epoch_look(place, len(names)) for place, name in enumerate(names.values())}
    lines = velocities.assign(
        line=[names[step] for step in zip(velocities["epoch"], velocities["next_epoch"], strict=True)]
    )
    with drawing(style):
        figure = new_figure(style, 7, 4.5)
        axes = figure.subplots()
        handles = draw_lines(axes, lines, "percentile", look_of)
        error_axis(axes, "Kernel velocity", drawn_values(lines), "1 − cosine")
        axes.set(xlim=(-2, 102), xlabel=f"Percentile of {score_title(score)} (100: highest)")
        note(axes, f"of the logits' gradients, by groups of images; {band_note(lines['count'])}", style)
        legend_below(figure, handles, style)
    return figure
