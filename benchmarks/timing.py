"""Times alternatives in turn, so that whatever else the machine does meets them all alike."""

import statistics
import time
from collections.abc import Callable
from typing import Any


def take_turns(
    calls: dict[str, Callable[[], Any]], turns: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Seconds of every call in every turn, after one turn that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(turns + 1):
        for name, call in calls.items():
            start = clock()
            call()
            if turn:
                seconds[name].append(clock() - start)
    return seconds


def ratio(slow: list[float], fast: list[float], target: float) -> dict[str, float]:
    """How many times the rate of ``slow`` the rate of ``fast`` is."""
    ratios = sorted(a / b for a, b in zip(slow, fast, strict=True))
    quarter = len(ratios) // 4
    return {
        "median": statistics.median(ratios),
        "lower_quartile": ratios[quarter],
        "upper_quartile": ratios[-1 - quarter],
        "best": min(slow) / min(fast),
        "target": target,
    }
