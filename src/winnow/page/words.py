"""Numbers as text, and the headline: three sentences made from numbers."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from winnow.claims.rules import CANNOT_TELL, FAILS, HOLDS
from winnow.report.looks import score_title

DIGITS = 4  # of a number in a table


def number(value: float) -> str:
    """A number with four significant digits, such as "0.09992", "540" or "1.2e-05"; "" for NaN."""
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.0f}" if value == round(value) and abs(value) < 1e15 else f"{value:.{DIGITS}g}"


def percent(value: float) -> str:
    """A fraction such as 0.98 as "98.00%"."""
    return f"{100 * value:.2f}%"


def some(names: Sequence[str], most: int = 8) -> str:
    """Such as "a, b and c"; of a long list the first, and how many there are."""
    if len(names) > most:
        return f"{', '.join(names[:most])}, … ({len(names)} in all)"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else ""


def headline(summary: Mapping[str, float], claims: Mapping[str, Mapping[str, Any]], against: pd.DataFrame) -> list[str]:
    """Three sentences: of the images, of the weights, of the claims.

    summary: ``metrics/summary.json``; claims: ``metrics/claims.json``; against: ``plots/differences.csv``.
    """
    return [_of_images(summary, against), _of_weights(summary), _of_claims(claims)]


def _of_images(summary: Mapping[str, float], against: pd.DataFrame) -> str:
    if "full" not in summary:
        return "No network was retrained, so this page cannot tell what smaller training sets are worth."
    full = f"{percent(summary['full'])} on all images"
    if "el2n" not in summary:
        return f"Networks reach a test accuracy of {full}; no subset of about half of them was chosen by EL2N."
    half = f"{percent(summary['el2n'])} on about half of the training images, those of the highest EL2N"
    random = f", and {percent(summary['random'])} on as many at random" if "random" in summary else ""
    rows = against[(against["method"] == "el2n") & (against["baseline"] == "random")]
    nearest = rows.loc[(rows["fraction"] - 0.5).abs().sort_values(kind="stable").index[:1]].to_dict("records")
    return f"Networks reach a test accuracy of {half}, {full}{random}{_told(nearest[0]) if nearest else ''}."


def _told(row: Mapping[Any, Any]) -> str:
    """What an interval of the difference to random tells."""
    if math.isnan(row["low"]):
        return "; one seed each cannot tell these from chance"
    ends = f"{100 * row['low']:+.2f} to {100 * row['high']:+.2f} points"
    if row["low"] > 0 or row["high"] < 0:
        return f"; the difference to random, {ends}, is more than chance"
    return f"; the difference to random, {ends}, cannot be told from chance"


def _of_weights(summary: Mapping[str, float]) -> str:
    if "dense" not in summary:
        return "No network was pruned, so this page says nothing of lottery tickets."
    dense = f"The dense networks have a test error of {percent(summary['dense'])}"
    if "density" not in summary or summary["density"] == 1:
        return f"{dense}; no pruned network is known to match them."
    return f"{dense}, and pruned ones match it down to {percent(summary['density'])} of the weights."


def _of_claims(claims: Mapping[str, Mapping[str, Any]]) -> str:
    of = {verdict: [name for name, entry in claims.items() if entry["verdict"] == verdict]
          for verdict in (HOLDS, FAILS, CANNOT_TELL)}  # fmt: skip
    named = {key: f" ({some(names)})" if names else "" for key, names in of.items()}
    others = len(claims) - sum(map(len, of.values()))
    return (
        f"Of the papers' {len(claims)} claims, {len(of[HOLDS])} hold on these data and networks{named[HOLDS]}, "
        f"{len(of[FAILS])} do not{named[FAILS]}, {len(of[CANNOT_TELL])} cannot be told from these seeds, and {others} "
        "need results that this run does not have."
    )


def in_numbers(rows: pd.DataFrame, value: str, by: str) -> str:
    """What a figure shows, in a sentence for those who do not see it: the range of a value, for each of some groups."""
    found = rows.dropna(subset=[value])
    if found.empty:
        return ""
    if not by:
        return f"{_name(value)} from {number(found[value].min())} to {number(found[value].max())}."
    groups = found.groupby(by, sort=False)[value].agg(["min", "max"])
    texts = [
        f"{score_title(str(name))} {number(low)}" + ("" if low == high else f" to {number(high)}")
        for name, low, high in groups.itertuples()
    ]
    return f"{_name(value)} by {_name(by).lower()}: {some(texts)}."


def _name(column: str) -> str:
    return column.replace("_", " ").capitalize()
