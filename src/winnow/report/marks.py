"""Marks and axes that the pictures of sparse networks share: lines with their spread, epsilon, errors, weights left."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from winnow.report.history import PARTS
from winnow.report.spread import BAND, span
from winnow.report.style import GREY, Look

SPLITS = {"test": PARTS["validation"], "train": PARTS["train"]}
EPSILON: dict[str, Any] = {"color": "#444444", "linestyle": (0, (2, 2)), "linewidth": 1.1}
WIDE_RANGE = 4  # largest over smallest value from which an axis is not drawn linear
VERY_WIDE = 100  # and from which errors are not drawn logarithmic
MANY_TICKS = 4000  # largest over smallest share left up to which an axis has three numbers a power of ten
MOVED = "; moved aside where lines share a place"  # for a note, after dodges
LONG_NAME = 42  # characters of an axis' name and unit that have room on one line
MARKER = 0.014  # width of a marker as a part of an axis' length, about
ROOM = 0.09  # least distance of two numbers on an axis, as a part of its length

T = TypeVar("T")


def draw_spread(
    axes: Axes, x: np.ndarray, lines: pd.DataFrame, look: Look, label: str, filled: np.ndarray | None = None
) -> Line2D:
    """A line through the means and a band between low and high; over a single place a bar. Returns the line.

    ``x``: rising or falling; ``lines``: rows mean, low, high and count in the same order (see ``spread``); ``filled``:
    bool, the places whose marker is filled (all if None), the others being hollow.
    """
    mean, low, high = (lines[name].to_numpy(float) for name in ("mean", "low", "high"))
    if lines["count"].max() > 1:
        if len(x) > 1:
            axes.fill_between(x, low, high, color=look.color, alpha=0.2, linewidth=0)
        else:
            axes.vlines(x, low, high, color=look.color, alpha=0.4, linewidth=4)
    size = 5.5 if len(x) <= 40 else 0
    (line,) = axes.plot(
        x, mean, color=look.color, marker=look.marker, linestyle=look.line, linewidth=1.5, markersize=size, label=label
    )
    if filled is not None:
        axes.plot(
            x[~filled], mean[~filled], color=look.color, marker=look.marker, linestyle="", markersize=size,
            markerfacecolor="white", label=f"_{label}, hollow",
        )  # fmt: skip
    return line


def band_note(counts: pd.Series) -> str:
    """What lines and bands mean, for a note: ``counts`` is the number of seeds behind each place of a line."""
    return f"line: mean of {span(counts)}; band: {BAND}" if counts.max() > 1 else "one seed each: no band"


def draw_epsilon(axes: Axes, epsilon: float) -> None:
    """A dashed line at epsilon, a share from 0 to 1 drawn in percentage points; none if it is NaN."""
    if math.isfinite(epsilon):
        axes.axhline(100 * epsilon, label="epsilon", zorder=1.5, **EPSILON)


def epsilon_of(verdicts: pd.DataFrame) -> float:
    """The epsilon by which the levels were judged, a share from 0 to 1; NaN where there is none."""
    return float(verdicts["epsilon"].astype(float).max())


def not_matching(verdicts: pd.DataFrame) -> set[str]:
    """The levels whose verdict is that they do not match; those without one are left out."""
    return set(verdicts["level"][verdicts["matching"].eq(False)])


def starred(text: str, level: str, unmatched: set[str]) -> str:
    """A level's name as text, with an asterisk if it does not match."""
    return f"{text}*" if level in unmatched else text


def is_wide(values: Iterable[float]) -> bool:
    """Whether positive values span so wide a range that a linear axis would hide the small ones."""
    finite = _finite(values)
    return len(finite) > 0 and bool(WIDE_RANGE * finite.min() < finite.max())


def error_axis(
    axes: Axes, name: str, values: Iterable[float], unit: str = "%", *, from_zero: bool = False, room: float = ROOM
) -> None:
    """Name and scale the vertical axis of errors or barriers, all of whose ``values`` (in ``unit``) are to be seen.

    A narrow range is drawn linear and a wide one logarithmic; but by the square root, from 0, where it is very wide or
    has to start ``from_zero``: that axis holds zero and still keeps small differences apart. Markers drawn before at
    zero are whole then, and in front of the axis.
    """
    finite = _finite(values)
    low, high = float(finite.min(initial=np.inf)), float(finite.max(initial=0.0))
    if high <= 0:
        axes.set_ylim(0, 1)
        axes.yaxis.set_major_locator(MaxNLocator(2))
    elif is_wide(finite) and (from_zero or VERY_WIDE * low < high):
        axes.set_yscale("function", functions=(_root, np.square))
        axes.set_ylim(0, 1.08 * high)
        axes.yaxis.set_major_locator(FixedLocator(root_ticks(1.08 * high, room)))
        unit += ", square-root axis"
    elif is_wide(finite):
        axes.set_yscale("log")
        pad = (high / low) ** 0.05
        axes.set_ylim(low / pad, high * pad)
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        unit += ", logarithmic"
    else:
        pad = 0.08 * (high - low) or 0.1 * high
        axes.set_ylim(0 if from_zero else max(0.0, low - pad), high + pad)
        axes.yaxis.set_major_locator(MaxNLocator(max(2, int(0.6 / room)), steps=[1, 2, 5, 10]))
    if from_zero:
        for line in axes.lines:
            if line.get_marker() not in ("", "None"):
                line.set(clip_on=False, in_layout=False, zorder=3)
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(plain))
    separator = "\n" if len(name) + len(unit) > LONG_NAME else " "
    axes.set_ylabel(f"{name}{separator}({unit})")


def root_ticks(high: float, room: float = ROOM) -> list[float]:
    """Round numbers from 0 to ``high`` that stand at least ``room`` of the axis apart by their square roots."""
    top = math.floor(math.log10(high))
    gap = room * math.sqrt(high)
    found: list[float] = []
    for tick in (digit * 10.0**power for power in range(top, top - 5, -1) for digit in (5, 2, 1)):
        root = math.sqrt(tick)
        if tick <= high and root >= gap and (not found or math.sqrt(found[-1]) - root >= gap):
            found.append(tick)
    return [0.0, *reversed(found)]


def left_axis(axes: Axes, left: Iterable[float]) -> None:
    """The share of the weights left (0 to 1) on the horizontal axis: percent, logarithmic, from 100 downward."""
    low = 100 * float(_finite(left).min(initial=1.0))
    axes.set_xscale("log")
    pad = max((100 / low) ** 0.03, 1.02)
    axes.set_xlim(100 * pad, low / pad)
    if low * WIDE_RANGE > 100:
        ticks = MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(min(low, 95), 100)
        axes.xaxis.set_major_locator(FixedLocator([tick for tick in ticks if tick <= 100]))
    else:
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if low * MANY_TICKS > 100 else (1,)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(plain))
    axes.set_xlabel("Weights left (%)")


def dodges(axes: Axes, places: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The factor that moves all places of a line on the (logarithmic) axis of the weights left so that lines which
    share one, to a marker's width, are drawn side by side: 1 for the first and for those that share none.

    ``places``: of each line, in the unit of the axis. The axis is made wider where it has to hold what was moved.
    """
    high, low = np.log(axes.get_xlim())
    marker = MARKER * (high - low)
    logs = {line: np.sort(np.log(own)) for line, own in places.items()}
    slots: dict[str, int] = {}
    order = sorted(range(-len(logs), len(logs) + 1), key=lambda slot: (abs(slot), -slot))
    for line, own in logs.items():
        taken = {slots[other] for other in slots if (np.abs(own[:, None] - logs[other]) < marker).any()}
        slots[line] = next(slot for slot in order if slot not in taken)
    gaps = np.concatenate([np.diff(own) for own in logs.values()])
    gap = gaps[gaps > marker / 4].min(initial=np.inf)  # between the levels of a line, which are not to run together
    step = min(marker, 0.8 * gap / len({*slots.values()}))
    factors = {line: math.exp(-step * slot) for line, slot in slots.items()}
    moved = np.concatenate([own - step * slots[line] for line, own in logs.items()])
    axes.set_xlim(*np.exp([max(high, moved.max() + marker), min(low, moved.min() - marker)]))
    return factors


def given_axis(axes: Axes, values: Iterable[float]) -> None:
    """A horizontal axis with a number at each of the ``values`` (0 or more) as far as they have room.

    Values that span a wide range are drawn logarithmic, from 0 to the smallest above it linear.
    """
    places = np.unique(_finite(values))
    above = places[places > 0]
    if len(above) > 1 and above[-1] >= WIDE_RANGE * above[0]:
        axes.set_xscale("symlog", linthresh=above[0], linscale=0.5)
    transform = axes.xaxis.get_transform()
    where = np.asarray(transform.transform(places))
    reach = float(np.ptp(where)) or abs(where[0]) or 1.0
    axes.set_xlim(*transform.inverted().transform(np.array([where[0] - 0.04 * reach, where[-1] + 0.04 * reach])))
    shown = [0]
    for place in range(1, len(places)):
        if where[place] - where[shown[-1]] >= ROOM * reach:
            shown.append(place)
    axes.xaxis.set_major_locator(FixedLocator(list(places[shown])))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(plain))


def power(value: float, _: object = None) -> str:
    """A power of ten on an axis, such as 10⁻³."""
    return "10" + str(round(math.log10(value))).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def plain(value: float, _: object = None) -> str:
    """A number on an axis: no exponent, no needless zeros."""
    return f"{value:,.6g}".replace("-", "−")


def thinned(items: Sequence[T], most: int) -> list[T]:
    """At most so many of the items, spread evenly from first to last."""
    return [items[i] for i in np.unique(np.linspace(0, len(items) - 1, min(len(items), most)).round().astype(int))]


def nothing_drawn(axes: Axes, text: str) -> None:
    """Say in the middle of a panel why it is empty."""
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes, color=GREY)


def _finite(values: Iterable[float]) -> np.ndarray:
    array = np.asarray(list(values), float)
    return array[np.isfinite(array)]


def _root(values: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum(values, 0))  # below the axis matplotlib tries values that have no root
