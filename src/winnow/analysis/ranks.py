"""Ranks of methods over many comparisons, and which differ: Demsar 2006, "Statistical comparisons of classifiers over
multiple data sets" (JMLR 7), section 3.2."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2, rankdata, studentized_range

LEVEL = 0.05  # of the tests


@dataclass(frozen=True)
class Ranking:
    """The methods from the best mean rank to the worst, and what the tests say.

    ranks: mean rank of every method, 1 the best, rising. blocks: how many comparisons. statistic: Friedman's, corrected
    for ties; p: its p-value, from the chi-squared distribution. critical: Nemenyi's critical difference; mean ranks
    that differ by no more are not told apart. cliques: the largest groups of neighbours that are not told apart, each
    of two methods or more, from best to worst.
    """

    ranks: pd.Series
    blocks: int
    statistic: float
    p: float
    critical: float
    cliques: list[list[str]]


def ranking(values: pd.DataFrame) -> Ranking:
    """Rank the methods in every block, and compare their mean ranks.

    values: a row for each block, such as a data set, a column for each method; high is good. Equal values share the
    mean of their ranks. The tests take the blocks for independent of each other.

    Raises ValueError if there are fewer than two methods or no block, or if a value is missing.
    """
    blocks, methods = values.shape
    if methods < 2 or blocks < 1:
        raise ValueError(f"ranks need two methods and a block; there are {methods} and {blocks}")
    if values.isna().to_numpy().any():
        raise ValueError(f"{values.columns[values.isna().any()][0]} has no value in some block")
    of_blocks = rankdata(-values.to_numpy(float), axis=1)
    ranks = pd.Series(of_blocks.mean(axis=0), values.columns).sort_values(kind="stable")
    statistic = friedman(of_blocks)
    critical = critical_difference(methods, blocks)
    p = float(chi2.sf(statistic, methods - 1))
    return Ranking(ranks, blocks, statistic, p, critical, cliques(ranks, critical))


def friedman(ranks: np.ndarray) -> float:
    """Friedman's statistic of ranks, float [blocks, methods]: equation 6 of Demsar, over the correction for ties of
    Friedman's test (Conover 1999, section 5.8). Zero if every block ranks all alike."""
    blocks, methods = ranks.shape
    # the spread of the ranks within the blocks, which is smaller with ties
    within = ((ranks - (methods + 1) / 2) ** 2).sum() / (methods - 1)
    between = blocks**2 * ((ranks.mean(axis=0) - (methods + 1) / 2) ** 2).sum()
    return float(between / within) if within else 0.0


def critical_difference(methods: int, blocks: int, level: float = LEVEL) -> float:
    """Nemenyi's critical difference of mean ranks: section 3.2.2 of Demsar. The studentized range over sqrt(2), which
    his table 5 (a) has, times sqrt(methods (methods + 1) / (6 blocks))."""
    quantile = studentized_range.ppf(1 - level, methods, np.inf) / np.sqrt(2)
    return float(quantile * np.sqrt(methods * (methods + 1) / (6 * blocks)))


def cliques(ranks: pd.Series, critical: float) -> list[list[str]]:
    """The largest groups of two or more neighbours whose first and last differ by no more than the critical difference.

    ranks: rising mean ranks by method.
    """
    found: list[list[str]] = []
    names, values = [str(name) for name in ranks.index], ranks.to_numpy(float)
    end = 0
    for start, value in enumerate(values):
        last = int(np.searchsorted(values, value + critical, side="right"))
        if last > end and last - start > 1:
            found.append(names[start:last])
        end = max(end, last)
    return found
