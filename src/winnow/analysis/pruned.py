"""Pruning methods over several settings: what is lost against the dense networks, and which checks a method passes."""

import numpy as np
import pandas as pd

from winnow.analysis.gains import interval
from winnow.analysis.ranks import Ranking, ranking
from winnow.params.dense import NAME as DENSE

PAIR = ["setting", "repeat", "seed"]  # what a ticket and its check have in common
BETTER, WORSE, SAME = "better", "worse", "not told apart"


def changes(results: pd.DataFrame) -> pd.DataFrame:
    """Every method at every density against the dense networks.

    results: one row per network, columns setting, repeat, seed, method, density (asked for), left, check, group,
    trainings, steps, alive, cost, images and accuracy. Returns setting, method, group, density, left (mean), trainings,
    steps, alive and cost (means), images, networks, accuracy, change (mean over networks of the accuracy minus that of
    the dense network of the same repeat and seed), low and high (the 95% interval of Student's t; NaN with one
    network).
    """
    tickets = results[(results["check"] == "") & (results["method"] != DENSE)]
    dense = results[results["method"] == DENSE].set_index(PAIR)["accuracy"].rename("dense")
    paired = tickets.join(dense, on=PAIR)
    rows = []
    for (setting, method, density), own in paired.groupby(["setting", "method", "density"], sort=False):
        change = (own["accuracy"] - own["dense"]).to_numpy()
        low, high = interval(change)
        first = own.iloc[0]
        rows.append(
            {
                **{"setting": setting, "method": method, "group": first["group"], "density": density},
                **{"left": own["left"].mean(), "trainings": first["trainings"], "steps": first["steps"]},
                **{"alive": own["alive"].mean(), "cost": own["cost"].mean(), "images": first["images"]},
                **{"networks": len(own), "accuracy": own["accuracy"].mean()},
                **{"change": change.mean(), "low": low, "high": high},
            }
        )
    return pd.DataFrame(rows)


def checked(results: pd.DataFrame) -> pd.DataFrame:
    """Every ticket against its checks: setting, method, density, check, networks, difference (mean over networks of the
    ticket's accuracy minus the check's, of the same repeat and seed), low, high (95%, Student's t) and verdict: better
    or worse if the interval leaves out 0, else "not told apart".

    results: as of ``changes``.
    """
    keys = [*PAIR, "method", "density"]
    tickets = results[results["check"] == ""].set_index(keys)["accuracy"].rename("ticket")
    paired = results[results["check"] != ""].join(tickets, on=keys)
    rows = []
    for about, own in paired.groupby(["setting", "method", "density", "check"], sort=False):
        differences = (own["ticket"] - own["accuracy"]).to_numpy()
        low, high = interval(differences)
        verdict = BETTER if low > 0 else WORSE if high < 0 else SAME
        rows.append((*about, len(own), differences.mean(), low, high, verdict))
    columns = ["setting", "method", "density", "check", "networks", "difference", "low", "high", "verdict"]
    return pd.DataFrame(rows, columns=columns)


def over_densities(results: pd.DataFrame) -> Ranking:
    """The ranks of the methods by accuracy. Every block is a network of each method in one setting, at one density, of
    one repeat and seed. Methods that lack most of the blocks are left out, and then blocks that lack one of the
    others. If that leaves no block, or one method, as where a pattern has as many blocks as the only density, the
    methods are those of the block that has the most.

    results: as of ``changes``. Raises ValueError if fewer than two methods remain.
    """
    return ranking(_ranked(_blocks(results)))


def without_rank(results: pd.DataFrame) -> tuple[dict[str, int], int]:
    """The methods that ``over_densities`` leaves out, with the number of blocks that each has; and the number of
    blocks that there are."""
    table = _blocks(results)
    left_out = table.notna().sum().drop(_ranked(table).columns)
    return {str(name): int(count) for name, count in left_out.items()}, len(table)


def _ranked(table: pd.DataFrame) -> pd.DataFrame:
    """The methods and the blocks of a table that get ranks; no value is missing."""
    there = table.notna().to_numpy()
    usual = table.loc[:, there.mean(axis=0) >= 0.5].dropna()  # a pattern has a density of its own
    if len(usual) and len(usual.columns) > 1:
        return usual
    return table.loc[:, there[there.sum(axis=1).argmax()]].dropna()


def _blocks(results: pd.DataFrame) -> pd.DataFrame:
    """The accuracy of every method, a column, in every block; NaN where it has no network."""
    tickets = results[(results["check"] == "") & (results["method"] != DENSE)]
    return tickets.pivot_table(index=[*PAIR, "density"], columns="method", values="accuracy", sort=False)


def frontier(found: pd.DataFrame) -> list[str]:
    """Of methods in one setting at one density, those for which no other is cheaper and as accurate, or as cheap and
    more accurate, by the means; the cheapest first. found: of ``changes``."""
    points = list(found.sort_values("cost", kind="stable")[["method", "cost", "accuracy"]].itertuples(index=False))
    return [
        str(method)
        for method, cost, accuracy in points
        if not any(c <= cost and a >= accuracy and (c < cost or a > accuracy) for _, c, a in points)
    ]


def not_told_apart(results: pd.DataFrame, methods: list[str], density: float, setting: str) -> list[str]:
    """Of these methods at one density in one setting, the best mean accuracy first: those whose paired differences from
    the best have an interval (95%, Student's t) that holds 0. Of single networks, all.

    results: as of ``changes``.
    """
    own = results[(results["check"] == "") & (results["setting"] == setting) & (results["density"] == density)]
    table = own[own["method"].isin(methods)].pivot_table(index=PAIR, columns="method", values="accuracy")
    if table.empty:
        return []
    order = list(table.mean().sort_values(ascending=False, kind="stable").index)
    found = []
    for method in order:
        low, _ = interval((table[order[0]] - table[method]).dropna().to_numpy())
        if method == order[0] or np.isnan(low) or low <= 0:
            found.append(str(method))
    return found
