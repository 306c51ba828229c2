"""Mean and percentile band over seeds: the one definition for every table, metric and picture."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

BAND = (16, 84)  # percentiles, as in Paul et al. 2021, and about one standard deviation of a normal distribution
BAND_IN_WORDS = "16th to 84th percentile"


def band(values: Sequence[float] | np.ndarray | pd.Series) -> tuple[float, float]:
    """The 16th and the 84th percentile of some values."""
    low, high = np.percentile(values, BAND)
    return float(low), float(high)


def spread(table: pd.DataFrame, by: list[str], value: str) -> pd.DataFrame:
    """Mean and band of a column over the rows of each group, in order of first appearance.

    Returns the columns of ``by``, mean, low, high and count. Missing values are left out, and groups without any other.
    """
    groups = table.dropna(subset=[value]).groupby(by, sort=False)[value]
    rows = [(*key, values.mean(), *band(values), len(values)) for key, values in groups]
    found = pd.DataFrame(rows, columns=[*by, "mean", "low", "high", "count"])
    if rows:
        return found
    # columns without a type would take that of the tables to which this one is added
    return found.astype({**table[by].dtypes, "mean": float, "low": float, "high": float, "count": int})
