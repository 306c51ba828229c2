"""The claims as the page shows them: each with its verdict and its effect as a small bar."""

from collections.abc import Mapping
from typing import Any

from winnow.claims.rules import VERDICTS

WIDTH = 100  # of a bar, in its own units
MARGIN = 6


def rows(found: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Of every claim what ``metrics/claims.json`` says, with its name, a bar (None without an effect), and places to
    sort by."""
    return [
        {
            **entry,
            "name": name,
            "place": place,
            "verdict_place": VERDICTS.index(entry["verdict"]) if entry["verdict"] in VERDICTS else len(VERDICTS),
            "bar": bar(entry["effect"], entry["low"], entry["high"]),
            "slug": entry["verdict"].replace(" ", "-"),
        }
        for place, (name, entry) in enumerate(found.items())
    ]


def bar(effect: float | None, low: float | None, high: float | None) -> dict[str, float] | None:
    """Where a bar of width 100 has its zero, the effect and the ends of its interval. It spans 0 and all of them, so
    bars of different claims have different units and scales."""
    if effect is None:
        return None
    ends = [effect if low is None else low, effect if high is None else high]
    least, most = min(0.0, effect, *ends), max(0.0, effect, *ends)
    scale = (WIDTH - 2 * MARGIN) / ((most - least) or 1.0)

    def at(value: float) -> float:
        return round(MARGIN + (value - least) * scale, 2)

    return {"zero": at(0.0), "effect": at(effect), "low": at(ends[0]), "high": at(ends[1])}
