"""Selection methods over several settings: accuracy against the share kept, and the gains over random."""

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from winnow.analysis.gains import ALL_DATA, BASELINE
from winnow.analysis.spread import spread
from winnow.report.axes import given_axis
from winnow.report.heatmap import Scale, heat_map
from winnow.report.marks import band_note, draw_levels, draw_lines, in_percent
from winnow.report.names import name_points
from winnow.report.style import Style, drawing, legend_below, looks, new_figure, note, outer_labels, panels

OTHERS = "every other method"
MOST = 6  # methods with a look of their own
LIMIT = 99.0  # percent of the gains that the colours tell apart


def share_figure(results: pd.DataFrame, shown: list[str], style: Style) -> Figure:
    """Test accuracy against the share kept, a panel for each setting: see ``accuracy_panels``.

    ``results``: columns setting, method, fraction and accuracy (fractions of 1), one row per network; method "full" is
    all data, a level line.
    """
    return accuracy_panels(results, (ALL_DATA, "all data"), shown, "Share of the training images kept (%)", style)


def accuracy_panels(
    results: pd.DataFrame, whole: tuple[str, str], shown: list[str], about: str, style: Style, *, falling: bool = False
) -> Figure:
    """Test accuracy against a fraction, a panel for each setting: means over networks, with a band.

    ``results``: columns setting, method, fraction and accuracy (fractions of 1), one row per network. ``whole``: the
    method that leaves nothing out, drawn as a level line, and its name in the legend. ``shown``: the methods that get a
    look of their own, the first ``MOST`` of them; random has one in any case, and all others are thin grey lines
    without a band. ``about``: what the fraction is, in percent. ``falling``: whether it falls from left to right.
    """
    named = [name for name in shown if name not in (BASELINE, whole[0])][:MOST]
    look_of = looks([BASELINE, whole[0], *named])
    bands = spread(results, ["setting", "method", "fraction"], "accuracy").rename(columns={"method": "line"})
    bands = in_percent(bands, "mean", "low", "high", "fraction")
    settings = list(bands["setting"].unique())
    with drawing(style):
        figure, grid = panels(style, len(settings), 3, (4.2, 3.8))
        handles: dict[str, Artist] = {}
        for axes, setting in zip(grid, settings, strict=True):
            own = bands[bands["setting"] == setting]
            level, lines = own[own["line"] == whole[0]], own[own["line"] != whole[0]]
            given_axis(axes, [float(f"{fraction:.2g}") for fraction in lines["fraction"]])
            if falling:
                axes.invert_xaxis()
            for method, rows in lines[~lines["line"].isin(look_of)].groupby("line", sort=False):
                handles[OTHERS] = _other_line(axes, str(method), rows.sort_values("fraction"))
            handles |= draw_lines(axes, lines, "fraction", look_of)
            if len(level):
                handles[whole[1]] = draw_levels(axes, level, look_of)[whole[0]]
            axes.set_title(setting, loc="right")
        grid[0].set(xlabel=about, ylabel="Test accuracy (%)")
        outer_labels(grid)
        note(figure, band_note(bands["count"]), style)
        order = [name for name in (BASELINE, *named, whole[1], OTHERS) if name in handles]
        legend_below(figure, {name: handles[name] for name in order}, style)
    return figure


def _other_line(axes: Axes, method: str, rows: pd.DataFrame) -> Artist:
    """A thin grey line, or a grey point if there is a single place."""
    marker = "." if len(rows) == 1 else ""
    (line,) = axes.plot(rows["fraction"], rows["mean"], color="#bbbbbb", linewidth=0.7, marker=marker, zorder=1.2,
                        label=f"_{method}")  # fmt: skip
    return line


def gains_figure(gains: pd.DataFrame, order: list[str], style: Style) -> Figure:
    """A heat map of the gains over random: a row for each method, in this order, a column for each setting and share,
    in the order of the table.

    ``gains``: columns setting, method, fraction and gain (a fraction, drawn in percentage points). Colours end at the
    size that 99 of 100 gains do not exceed. Raises ValueError if there is no method besides random.
    """
    rows = gains[gains["method"] != BASELINE]
    if rows.empty:
        raise ValueError("no method besides random")
    names = rows["setting"] + " " + rows["fraction"].map("{:.2g}".format)
    table = rows.assign(gain=100 * rows["gain"], column=names).pivot(index="method", columns="column", values="gain")
    table = table.loc[[name for name in order if name in table.index], list(dict.fromkeys(names))]
    top = max(float(np.nanpercentile(np.abs(table.to_numpy()), LIMIT)), 0.1)
    scale = Scale(Normalize(-top, top), "points over random", np.linspace(-top, top, 5).round(1), "{:.1f}".format)
    with drawing(style):
        figure, axes = heat_map(table, scale, style)
        note(axes, "test accuracy minus random's at equal size\nand steps, in points; best mean rank first", style)
    return figure


def cost_figure(costs: pd.DataFrame, gains: pd.DataFrame, style: Style) -> Figure:
    """Mean gain over random against the passes over the data that a method needs before it can choose.

    ``costs``: columns method and passes; ``gains``: columns method and gain (a fraction, drawn in points). Raises
    ValueError if no method is in both.
    """
    points = gains.groupby("method", sort=False)["gain"].mean().mul(100).to_frame().join(
        costs.groupby("method")["passes"].max(), how="inner")  # fmt: skip
    if points.empty:
        raise ValueError("no method has both a cost and a gain")
    with drawing(style):
        figure = new_figure(style, 8, 4.6)
        axes = figure.subplots()
        given_axis(axes, points["passes"])
        axes.axhline(0, color=looks([BASELINE])[BASELINE].color, linestyle="--")
        axes.plot(points["passes"], points["gain"], linestyle="", marker="o", color="black", markersize=4)
        axes.margins(y=0.1)
        axes.autoscale_view(scalex=False)  # now, as names need their places
        axes.set(xlabel="Passes over the data before choosing", ylabel="Mean gain over random (points)")
        name_points(axes, {str(name): (row.passes, row.gain) for name, row in points.iterrows()}, (7, 3.8), style)
        note(axes, "training passes and scoring passes; methods share the networks of one early run", style)
    return figure
