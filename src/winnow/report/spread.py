"""Mean and percentile band over seeds."""

import pandas as pd

BAND = "16th to 84th percentile"  # as in Paul et al. 2021, and about one standard deviation of a normal distribution


def spread(table: pd.DataFrame, by: str, value: str) -> pd.DataFrame:
    """Mean, 16th and 84th percentile of a column over the rows of each group, by rising group.

    Columns: ``by``, mean, low, high, count. Missing values are left out, and groups without any other.
    """
    groups = table.dropna(subset=[value]).groupby(by, sort=True)[value]
    result = pd.DataFrame(
        {"mean": groups.mean(), "low": groups.quantile(0.16), "high": groups.quantile(0.84), "count": groups.count()}
    )
    return result.reset_index()


def span(counts: pd.Series) -> str:
    """How many seeds, in words: "1 seed", "4 seeds", "2 to 4 seeds"."""
    least, most = int(counts.min()), int(counts.max())
    if least == most:
        return f"{most} seed{'' if most == 1 else 's'}"
    return f"{least} to {most} seeds"
