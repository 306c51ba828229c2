"""Scales and numbers of the axes that pictures share: errors, weights left, given places."""

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, Locator, LogLocator, MaxNLocator, StrMethodFormatter

WIDE_RANGE = 4  # largest over smallest value from which an axis is not drawn linear
VERY_WIDE = 100  # and from which errors are not drawn logarithmic
MANY_TICKS = 4000  # largest over smallest fraction left up to which an axis has three numbers a power of ten
LONG_NAME = 42  # characters of an axis' name and unit that have room on one line
MARKER = 0.014  # width of a marker as a part of an axis' length, about
ROOM = 0.09  # least distance of two numbers on an axis, as a part of its length
PLAIN = StrMethodFormatter("{x:,.6g}")  # a number on an axis: no exponent, no needless zeros
STEPS = [1, 2, 5, 10]


def is_wide(values: Iterable[float]) -> bool:
    """Whether positive values span so wide a range that a linear axis would hide the small ones."""
    finite = _finite(values)
    return len(finite) > 0 and bool(WIDE_RANGE * finite.min() < finite.max())


def error_axis(
    axes: Axes, name: str, values: Iterable[float], unit: str = "%", *, from_zero: bool = False, room: float = ROOM
) -> None:
    """Name and scale the vertical axis of errors or barriers, which shows all of its ``values`` (in ``unit``).

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
        axes.yaxis.set_major_locator(MaxNLocator(max(2, int(0.6 / room)), steps=STEPS))
    for line in axes.lines if from_zero else []:
        if line.get_marker() not in ("", "None"):
            line.set(clip_on=False, in_layout=False, zorder=3)
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(PLAIN)
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


def ticks_within(locator: Locator, low: float, high: float) -> np.ndarray:
    """The ticks of a locator that lie between two values."""
    ticks = np.asarray(locator.tick_values(low, high))
    return ticks[(ticks >= low) & (ticks <= high)]


def density_axis(axes: Axes, densities: Iterable[float], name: str = "Weights left (%)") -> None:
    """The fraction of the weights left (0 to 1) on the horizontal axis: percent, logarithmic, from 100 downward."""
    low = 100 * float(_finite(densities).min(initial=1.0))
    axes.set_xscale("log")
    pad = max((100 / low) ** 0.03, 1.02)
    axes.set_xlim(100 * pad, low / pad)
    if low * WIDE_RANGE > 100:
        ticks = MaxNLocator(6, steps=STEPS).tick_values(min(low, 95), 100)
        axes.xaxis.set_major_locator(FixedLocator([tick for tick in ticks if tick <= 100]))
    else:
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if low * MANY_TICKS > 100 else (1,)))
    axes.minorticks_off()
    axes.xaxis.set_major_formatter(PLAIN)
    axes.set_xlabel(name)


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
    axes.minorticks_off()
    axes.xaxis.set_major_formatter(PLAIN)


def beside(axes: Axes, table: pd.DataFrame, x: str, by: str = "line") -> pd.DataFrame:
    """The table with the places ``x`` of lines that share one, to a marker's width, moved so that they are drawn side
    by side; the first line, and lines that share no place, stay. A column moved says which rows were.

    Scale the axis before, and is made wider where it has to hold what was moved.
    """
    transform = axes.xaxis.get_transform()  # of a logarithmic axis the logarithm
    start, end = transform.transform(np.array(axes.get_xlim()))
    marker = MARKER * abs(end - start)
    where = pd.Series(transform.transform(table[x].to_numpy(float)), table.index)
    lines = {line: np.sort(own) for line, own in where.groupby(table[by], sort=False)}
    slots: dict[str, int] = {}
    order = sorted(range(-len(lines), len(lines) + 1), key=lambda slot: (abs(slot), -slot))
    for line, own in lines.items():
        taken = {slots[other] for other in slots if (np.abs(own[:, None] - lines[other]) < marker).any()}
        slots[line] = next(slot for slot in order if slot not in taken)
    gaps = np.concatenate([np.diff(own) for own in lines.values()])
    gap = gaps[gaps > marker / 4].min(initial=np.inf)  # between the places of a line, which are not to run together
    step = math.copysign(min(marker, 0.8 * gap / len({*slots.values()})), end - start)
    slot = table[by].map(slots)
    moved = where + step * slot
    low, high = min(start, end, moved.min() - marker), max(start, end, moved.max() + marker)
    axes.set_xlim(*transform.inverted().transform(np.array([low, high] if start < end else [high, low])))
    places = pd.Series(transform.inverted().transform(moved.to_numpy()), table.index)
    return table.assign(**{x: table[x].where(slot == 0, places), "moved": slot != 0})


def _finite(values: Iterable[float]) -> np.ndarray:
    array = np.asarray(list(values), float)
    return array[np.isfinite(array)]


def _root(values: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum(values, 0))  # below the axis matplotlib tries values that have no root
