"""Pruning methods over several settings: accuracy against density, and the checks that tickets pass."""

import numpy as np
import pandas as pd
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from winnow.params.dense import NAME as DENSE
from winnow.report.heatmap import Scale, heat_map
from winnow.report.methods import accuracy_panels
from winnow.report.style import Style, drawing, note

LIMIT = 99.0  # percent of the differences that the colours tell apart


def density_accuracy_figure(changes: pd.DataFrame, dense: pd.DataFrame, shown: list[str], style: Style) -> Figure:
    """Mean test accuracy against the density, a panel for each setting, sparser to the right.

    ``changes``: columns setting, method, density (a fraction, as asked for) and accuracy; ``dense``: columns setting
    and accuracy, of the dense networks, a level line. ``shown``: as in ``methods.accuracy_panels``.
    """
    of_dense = dense.groupby("setting", sort=False)["accuracy"].mean().reset_index().assign(method=DENSE, density=1.0)
    columns = ["setting", "method", "density", "accuracy"]
    means = pd.concat([changes[columns], of_dense[columns]]).rename(columns={"density": "fraction"})
    return accuracy_panels(means, (DENSE, DENSE), shown, "Weights left (%)", style, falling=True)


def checks_figure(checked: pd.DataFrame, order: list[str], style: Style) -> Figure:
    """A heat map of what tickets gain over their checks: a row for each method, in this order, a column for each check
    and density, means over the settings.

    ``checked``: columns method, density, check and difference (a fraction, drawn in percentage points). Colours end at
    the size that 99 of 100 differences do not exceed. Raises ValueError if there is no check.
    """
    if checked.empty:
        raise ValueError("no check of a ticket")
    names = checked["check"] + " " + (100 * checked["density"]).map("{:.2g}%".format)
    points = checked.assign(points=100 * checked["difference"], column=names)
    table = points.pivot_table(index="method", columns="column", values="points", sort=False)
    ordered = checked.assign(column=names).sort_values(["check", "density"], ascending=[True, False], kind="stable")
    table = table.loc[[name for name in order if name in table.index], list(dict.fromkeys(ordered["column"]))]
    top = max(float(np.nanpercentile(np.abs(table.to_numpy()), LIMIT)), 0.1)
    scale = Scale(Normalize(-top, top), "points over the check", np.linspace(-top, top, 5).round(1), "{:.1f}".format)
    with drawing(style):
        figure, axes = heat_map(table, scale, style)
        note(
            axes, "test accuracy of the ticket minus that of its check,\nin points, mean over settings and seeds", style
        )
    return figure
