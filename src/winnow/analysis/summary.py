"""What came of the tickets: connected against matching, variants at one sparsity, and all verdicts in words."""

import math
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from winnow.analysis.spread import BAND_IN_WORDS, spread
from winnow.params.dense import NAME as DENSE
from winnow.params.presets import PRESETS
from winnow.params.pruning import Level, line

NEAR = 1.5  # ratio of two fractions of weights left that still count as about the same sparsity


def successive(table: pd.DataFrame, levels: Mapping[str, Level]) -> pd.Series:
    """Of every row of ``verdicts`` whether the level is cut from its parent and else trained as that was: rewound, to
    the same rewind point, on the same data. Between others a barrier would say something of those too."""
    steps = [name for name, level in levels.items() if level.is_step]
    parents = table.set_index("level")[["rewind", "data"]].reindex(table["parent"]).to_numpy()
    return table["level"].isin(steps) & (parents == table[["rewind", "data"]].to_numpy()).all(axis=1)


def successive_pairs(table: pd.DataFrame, between: pd.DataFrame, levels: Mapping[str, Level]) -> pd.DataFrame:
    """Every successive level and its parent: level, parent, variant, rewind, data, density (of the level), mean, low,
    high, count (the barrier of the test error between them over replicates, a fraction), connected and both_match (None
    where it cannot be told).

    table: of ``verdicts``; between: ``barriers`` of every level with its parent.
    """
    matching = table.set_index("level")["matching"]
    pairs = table.loc[
        successive(table, levels), ["level", "parent", "variant", "rewind", "data", "density", "connected_to_parent"]
    ]
    both = [
        _both(matching[level], matching[parent]) for level, parent in zip(pairs["level"], pairs["parent"], strict=True)
    ]
    heights = spread(between[between["split"] == "test"], ["a", "b"], "barrier")
    pairs = pairs.rename(columns={"connected_to_parent": "connected"}).assign(
        both_match=pd.Series(both, pairs.index, object)
    )
    return pairs.merge(heights.rename(columns={"a": "parent", "b": "level"}), how="left", on=["parent", "level"])


def _both(first: bool | None, second: bool | None) -> bool | None:
    return None if first is None or second is None else bool(first and second)


def connected_and_matching(pairs: pd.DataFrame) -> dict[str, int]:
    """How many successive levels are connected to their parent, and how many match, as their parent does (U2 of Paul et
    al. 2023: the one if and only if the other). Pairs whose matching is unknown are left out.

    pairs: of ``successive_pairs``.
    """
    known = pairs.dropna(subset=["connected", "both_match"])
    return {
        f"{connected}, {both}": int(((known["connected"] == is_connected) & (known["both_match"] == do_match)).sum())
        for connected, is_connected in (("connected", True), ("not connected", False))
        for both, do_match in (("both match", True), ("not both match", False))
    }


def at_the_same_sparsity(levels: Mapping[str, Level], table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """By how many cuts in a row (``cuts``) each way of pruning comes to about the same sparsity, and what it gives
    there: the level, the fraction of weights it has left, its mean test error and whether it matches.

    The sparsity is that of the sparsest level of the first of ``ways``; of each way the level nearest to it is taken,
    if there is one within a factor of 1.5, among those trained from the same rewind point on the same data.

    table: of ``verdicts``.
    """
    kinds = ways(levels)
    rows = table[table["variant"].isin(kinds)].to_dict("records")
    if not rows:
        return {}
    target = min(rows, key=lambda row: (kinds.index(row["variant"]), row["density"]))
    rows = [row for row in rows if (row["rewind"], row["data"]) == (target["rewind"], target["data"])]
    found: dict[str, dict[str, Any]] = {}
    for variant in kinds:
        alike = [row for row in rows if row["variant"] == variant]
        apart = {row["level"]: abs(math.log(row["density"] / target["density"])) for row in alike}
        nearest = min(alike, key=lambda row: apart[row["level"]], default=None)
        if nearest and apart[nearest["level"]] <= math.log(NEAR):
            above = line(levels, nearest["level"])[1:]
            found[variant] = {
                "level": nearest["level"],
                "cuts": sum(levels[name].amount is not None for name in above),
                "density": nearest["density"],
                "mean_error": nearest["error"],
                "matching": nearest["matching"],
            }
    return found


def ways(levels: Mapping[str, Level]) -> list[str]:
    """The kinds of level that prune, without those beside a line of levels. First those whose cut the error sets, as
    nobody chose their sparsity; then presets in their own order, then others in that of the levels."""
    kinds = {
        level.kind: level
        for level in levels.values()
        if level.amount and not (level.variant and PRESETS[level.variant].aside)
    }
    places = {name: place for place, name in enumerate(PRESETS)}
    return sorted(kinds, key=lambda kind: (kinds[kind].amount != "max_error_rise", places.get(kind, len(places))))


def in_words(table: pd.DataFrame) -> str:
    """The table of ``verdicts``, as it is or read back from its file, as lines of text, in percent and points."""

    def matching(row: dict[Hashable, Any]) -> str:
        if pd.isna(row["matching"]):
            return "too few replicates to tell matching"
        return "matching" if row["matching"] else "not matching"

    def barrier_to_parent(row: dict[Hashable, Any]) -> str:
        if pd.isna(row["barrier_to_parent"]):  # dense has no parent
            return ""
        return f", barrier to {row['parent']} {100 * row['barrier_to_parent']:.2f} points"

    def elsewhere(row: dict[Hashable, Any]) -> str:
        rewind = "" if row["rewind"] == DENSE else f" from {row['rewind']}"
        return rewind + ("" if row["data"] == "full" else f" on {row['data']}")

    if table.empty:
        return ""
    bar, count = table["epsilon"].iloc[0], table["replicates"].iloc[0]
    lines = [
        f"test error: mean of {count} replicates [{BAND_IN_WORDS}]; epsilon, of matching and of barriers: "
        + ("too few replicates to tell" if np.isnan(bar) else f"{100 * bar:.2f} points")
    ]
    lines += [
        f"{row['level']} ({row['variant']}{elsewhere(row)}): {100 * row['density']:.1f}% of the weights, "
        f"error {100 * row['error']:.2f}% [{100 * row['low']:.2f}, {100 * row['high']:.2f}], "
        f"{matching(row)}{barrier_to_parent(row)}"
        for row in table.to_dict("records")
    ]
    return "\n".join(lines)
