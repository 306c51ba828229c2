"""How kernel velocity depends on the score (claim D9): mean and band over seeds, and its trend seed by seed."""

import pandas as pd

from winnow.analysis.reliability import spearman
from winnow.analysis.spread import spread


def velocity_bands(velocities: pd.DataFrame, neighbours: pd.DataFrame) -> pd.DataFrame:
    """Mean and band over seeds, one row per step and group, with the mean score and percentile of the group's images.

    velocities: of scores.velocity; neighbours: of scores.neighbours. Columns epoch, next_epoch, group, mean, low, high,
    count, score and percentile (0 to 100).
    """
    groups = neighbours.groupby("group")[["score", "percentile"]].mean()
    return spread(velocities, ["epoch", "next_epoch", "group"], "velocity").join(groups, on="group")


def velocity_trend(velocities: pd.DataFrame) -> pd.DataFrame:
    """One row per step and seed: epoch, next_epoch, seed, rise and top.

    rise: Spearman's rank correlation between groups in the order of their scores and their velocities. top: velocity of
    the highest group over that of the group below it, less than 1 where it drops at the very top. NaN for a single
    group.
    """
    rows = []
    for key, of_seed in velocities.sort_values("group").groupby(["epoch", "next_epoch", "seed"]):
        found = of_seed["velocity"].to_numpy()
        top = found[-1] / found[-2] if len(found) > 1 else float("nan")
        rows.append((*key, spearman(of_seed["group"].to_numpy(), found), top))
    return pd.DataFrame(rows, columns=["epoch", "next_epoch", "seed", "rise", "top"])
