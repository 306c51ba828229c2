"""Marks that pictures share: lines with bands, epsilon, and what a note says of them."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from winnow.analysis.spread import BAND_IN_WORDS
from winnow.report.style import GREY, Look

TRAINED, HELD_OUT = Look("#0072B2", "o", "-"), Look("#D55E00", "s", (0, (6, 1.5)))
SPLITS = {"test images": HELD_OUT, "train images": TRAINED, "validation images": HELD_OUT}
EPSILON: dict[str, Any] = {"color": "#444444", "linestyle": (0, (2, 2)), "linewidth": 1.1}
MANY = 40  # places of a line from which they have no markers

T = TypeVar("T")


def in_percent(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The table with fractions as percent, or differences of them as points: mean, low and high, or these columns."""
    return table.assign(**{name: 100 * table[name].astype(float) for name in columns or ("mean", "low", "high")})


def draw_lines(
    axes: Axes, table: pd.DataFrame, x: str, look_of: Mapping[str, Look], by: str = "line"
) -> dict[str, Artist]:
    """For each group of ``by`` a line through its means over ``x`` and a band from low to high; over a single place a
    bar. Returns the lines by name, in the order of ``look_of``; groups without a look are left out.

    table: columns by, x, mean, low, high and count (seeds), in the units of the axes; where there is a column filled
    (bool), the markers of the others are hollow. Set the direction of the axis before.
    """
    drawn: dict[str, Artist] = {}
    for name, look in look_of.items():
        rows = table[table[by] == name].sort_values(x, ascending=not axes.xaxis_inverted(), kind="stable")
        if len(rows):
            drawn[name] = _draw_line(axes, rows[x].to_numpy(float), rows, look, name)
    return drawn


def _draw_line(axes: Axes, x: np.ndarray, rows: pd.DataFrame, look: Look, name: str) -> Artist:
    mean, low, high = (rows[column].to_numpy(float) for column in ("mean", "low", "high"))
    if rows["count"].max() > 1:
        if len(x) > 1:
            axes.fill_between(x, low, high, color=look.color, alpha=0.2, linewidth=0)
        else:
            axes.vlines(x, low, high, color=look.color, alpha=0.4, linewidth=4)
    marks: dict[str, Any] = {"color": look.color, "marker": look.marker, "markersize": 5.5 if len(x) <= MANY else 0}
    (line,) = axes.plot(x, mean, linestyle=look.line, label=name, **marks)
    if "filled" in rows:
        hollow = ~rows["filled"].to_numpy(bool)
        axes.plot(x[hollow], mean[hollow], linestyle="", markerfacecolor="white", label=f"_{name}, hollow", **marks)
    return line


def draw_levels(axes: Axes, table: pd.DataFrame, look_of: Mapping[str, Look]) -> dict[str, Artist]:
    """For each row a level line at its mean and a band from low to high: of what does not change along the axis.
    Returns the lines by name.

    table: columns line, mean, low, high and count (seeds), in the units of the axis.
    """
    drawn: dict[str, Artist] = {}
    for row in table.to_dict("records"):
        look = look_of[row["line"]]
        if row["count"] > 1:
            axes.axhspan(row["low"], row["high"], color=look.color, alpha=0.12, linewidth=0)
        drawn[row["line"]] = axes.axhline(
            row["mean"], color=look.color, linestyle=look.line, label=row["line"], zorder=1.5
        )
    return drawn


def drawn_values(table: pd.DataFrame, *others: float) -> np.ndarray:
    """All values that lines with bands reach, and others, for the scale of an axis."""
    return np.append(table[["mean", "low", "high"]].to_numpy(float), others)


def span(counts: pd.Series) -> str:
    """How many seeds, in words: "1 seed", "4 seeds", "2 to 4 seeds"."""
    least, most = int(counts.min()), int(counts.max())
    if least == most:
        return f"{most} seed{'' if most == 1 else 's'}"
    return f"{least} to {most} seeds"


def band_note(counts: pd.Series) -> str:
    """What lines and bands mean, for a note: ``counts`` is the number of seeds behind each place of a line."""
    return f"line: mean of {span(counts)}; band: {BAND_IN_WORDS}" if counts.max() > 1 else "one seed each: no band"


def moved_note(table: pd.DataFrame) -> str:
    """What ``axes.beside`` did, for a note."""
    return "; moved aside where lines share a place" if table["moved"].any() else ""


def draw_epsilon(axes: Axes, epsilon: float) -> str:
    """A dashed line at epsilon, a fraction drawn in percentage points. Returns what it means, for a note; neither if
    it is NaN."""
    if not math.isfinite(epsilon):
        return ""
    axes.axhline(100 * epsilon, label="epsilon", zorder=1.5, **EPSILON)
    return f"; dashed: epsilon ({100 * epsilon:.2g} points)"


def epsilon_of(verdicts: pd.DataFrame) -> float:
    """The epsilon by which the levels were judged, a fraction; NaN where there is none."""
    return float(verdicts["epsilon"].astype(float).max())


def stars(verdicts: pd.DataFrame) -> dict[str, str]:
    """An asterisk for each level whose verdict is that it does not match."""
    return dict.fromkeys(verdicts["level"][verdicts["matching"].eq(False)], "*")


def some_of(items: Iterable[T], most: int, name: str) -> tuple[list[T], str]:
    """At most so many of the items, none twice, spread evenly from first to last; and for a note that these are not
    all, such as "; 8 of 20 levels"."""
    every = list(dict.fromkeys(items))
    places = np.unique(np.linspace(0, len(every) - 1, min(len(every), most)).round().astype(int))
    return [every[i] for i in places], f"; {most} of {len(every)} {name}" if len(every) > most else ""


def nothing_drawn(axes: Axes, text: str) -> None:
    """Say in the middle of a panel why it is empty."""
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes, color=GREY)
