"""How far a ranking can be trusted, and how rankings agree: Spearman's rank correlation, ties sharing their mean."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from winnow.analysis.spread import band
from winnow.scores.aggregate import mean_and_stderr
from winnow.scores.columns import parse_column
from winnow.scores.seed_scores import SeedScores
from winnow.streams import numpy_stream


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Rank correlation of two scores [n], over the images that have both; nan if one of them is constant."""
    both = np.stack([a, b])
    known = ~np.isnan(both).any(axis=0)
    return float(rank_correlations(both[:, known] if known.any() else both)[0, 1])


def rank_correlations(scores: np.ndarray) -> np.ndarray:
    """Rank correlation of every pair of scores [m, n]: [m, m]; nan where one is constant. +inf ranks highest."""
    # pandas ranks as scipy.stats does, which takes half a second to import
    ranks = np.array(pd.DataFrame(scores.T).rank().T, order="C")
    ranks -= ranks.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(ranks, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.clip((ranks @ ranks.T) / np.outer(norms, norms), -1, 1)


def correlation_table(table: pd.DataFrame) -> pd.DataFrame:
    """Rank correlation between the means of all scores in the table of scores.aggregate, one row per ordered pair:
    score_a, epoch_a, score_b, epoch_b, spearman; the epoch is -1 for a score that has none."""
    means = {name: parsed for name in table if (parsed := parse_column(str(name)))}
    correlations = rank_correlations(table[list(means)].to_numpy(np.float64).T)
    rows = [(*a, *b, correlations[i, j]) for i, a in enumerate(means.values()) for j, b in enumerate(means.values())]
    return pd.DataFrame(rows, columns=["score_a", "epoch_a", "score_b", "epoch_b", "spearman"])


def reliability_table(scores: Mapping[str, SeedScores], splits: int, seed: int) -> pd.DataFrame:
    """``reliability`` of several scores, with the score's name as the first column."""
    tables = [reliability(score, splits, seed).assign(score=name) for name, score in scores.items()]
    return pd.concat(tables)[["score", "epoch", "seeds", "spearman", "low", "high"]]


def halves_at(table: pd.DataFrame, epoch: int) -> dict[str, float]:
    """Of ``reliability_table``: for each score the rank correlation of the largest disjoint groups at an epoch."""
    rows = table[table["epoch"] == epoch].sort_values("seeds").groupby("score", sort=False).last()
    return {str(score): float(value) for score, value in rows["spearman"].items()}


def reliability(scores: SeedScores, splits: int, seed: int) -> pd.DataFrame:
    """Rank correlation between the mean over some seeds and the mean over as many others.

    For 1, 2, … up to half of the seeds, over ``splits`` random pairs of disjoint groups. Returns one row per epoch and
    number of seeds: epoch, seeds, spearman (mean over the splits), low and high (16th and 84th percentile over them).
    Empty for a single seed.
    """
    draws = numpy_stream(seed, "splits")
    rows = []
    for size in range(1, len(scores.seeds) // 2 + 1):
        groups = [draws.permutation(len(scores.seeds))[: 2 * size].reshape(2, size) for _ in range(splits)]
        for i, epoch in enumerate(scores.epochs):
            values = scores.values[:, i]
            found = [spearman(*(mean_and_stderr(values[group])[0] for group in pair)) for pair in groups]
            if not np.isnan(found).any():  # a score that is the same for all images has no ranking
                rows.append((epoch, size, np.mean(found), *band(found)))
    return pd.DataFrame(rows, columns=["epoch", "seeds", "spearman", "low", "high"])
