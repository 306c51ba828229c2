"""How early a score may be taken, and over how many networks: accuracy by epoch of the score, and by seeds averaged."""

import pandas as pd

from winnow.analysis.spread import spread
from winnow.scores.seed_scores import NO_EPOCH

KEYS = ["score", "epoch", "seeds", "keep", "fraction"]


def how_early(accuracy: pd.DataFrame, scored: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy by score, epoch of the score, number of seeds averaged, and keep.

    Returns score, epoch, seeds, keep, fraction, mean, low, high (band over all retrained networks, fractions), count
    (of these) and groups: how many groups of scoring networks, without a network in common, they were chosen by. With
    one group, the band is that of retraining alone; with several, it holds the spread of the scores too. ``accuracy``:
    a row for each retrained network and split; ``scored``: of ``selection.scored_by``.
    """
    of_test = accuracy[accuracy["split"] == "test"].merge(scored, on="method")
    groups = of_test.groupby(KEYS)["group"].nunique().rename("groups")
    return spread(of_test, KEYS, "accuracy").join(groups, on=KEYS).sort_values(KEYS[:3] + KEYS[:2:-1])


def along(table: pd.DataFrame, x: str) -> pd.DataFrame:
    """Of the table of ``how_early``, the rows that make lines over ``x`` (epoch or seeds): those with another row that
    differs in ``x`` alone. Empty if there are none."""
    others = [name for name in KEYS if name != x]
    rows = table[table["epoch"] != NO_EPOCH]
    return rows[rows.groupby(others)[x].transform("nunique") > 1]
