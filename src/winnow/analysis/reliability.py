"""How far a ranking can be trusted, and how rankings agree: Spearman's rank correlation, ties sharing their mean."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from winnow.analysis.spread import band
from winnow.scores.aggregate import mean_over_seeds
from winnow.scores.columns import parse_column
from winnow.scores.seed_scores import SeedScores
from winnow.streams import numpy_stream

KEPT = 16  # rankings of one score in memory at once: as many as leave one of 15 seeds out

Group = Sequence[int] | np.ndarray  # places of seeds, in the order in which they are added up
Ranking = tuple[np.ndarray, float | None]  # the places of [n], less their mean, and their length; or see ``rankings``
Rankings = Callable[[Group], Ranking]


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Rank correlation of two scores [n], over the images that have both; nan if one of them is constant."""
    both = np.stack([a, b])
    known = ~np.isnan(both).any(axis=0)
    return float(rank_correlations(both[:, known] if known.any() else both)[0, 1])


def rank_correlations(scores: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    """Rank correlation of every pair of scores [m, n]: [m, m]; nan where one is constant. +inf ranks highest."""
    ranks = np.stack([centred_ranks(values) for values in scores])
    norms = np.linalg.norm(ranks, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.clip((ranks @ ranks.T) / np.outer(norms, norms), -1, 1)


def centred_ranks(values: np.ndarray) -> np.ndarray:
    """The rank of every value [n] less the mean rank, float64 [n]. Equal ones share their ranks' mean. All are NaN if
    one value is."""
    if np.isnan(values).any():
        return np.full(len(values), np.nan)
    order = np.argsort(values)  # any order of equal ones, so the fastest
    rising = values[order]
    first = np.flatnonzero(np.concatenate([[True], rising[1:] != rising[:-1]]))
    ends = np.append(first[1:], len(values))
    found = np.empty(len(values))
    found[order] = np.repeat((first + ends - len(values)) / 2, ends - first)
    return found


def rankings(values: np.ndarray) -> Rankings:
    """Of one score [seeds, n]: a function from a group of seeds to the ranking of its mean, which remembers those of
    the last groups, because ranking a million images takes time. The length is None, and instead of places there is
    the mean itself, if some image has none."""

    @lru_cache(KEPT)
    def of(group: tuple[int, ...]) -> Ranking:
        mean = mean_over_seeds(values[list(group)])
        if np.isnan(mean).any():
            return mean, None
        places = centred_ranks(mean)
        return places, float(np.sqrt(np.einsum("n,n->", places, places)))

    # a + b is b + a, but (a + b) + c may be another number than a + (b + c)
    return lambda group: of(tuple(map(int, sorted(group) if len(group) == 2 else group)))


def correlation(a: Ranking, b: Ranking) -> float:
    """``spearman`` of two rankings, of which either may be remembered."""
    (ours, length), (theirs, other) = a, b
    if length is None or other is None:
        return spearman(ours, theirs)  # ranks the images that have both; those of centred ranks are the same
    if not length * other:
        return float("nan")
    # not a product by BLAS, whose sum may depend on the number of threads
    return float(np.clip(np.einsum("n,n->", ours, theirs) / (length * other), -1, 1))


def correlation_table(table: pd.DataFrame) -> pd.DataFrame:
    """Rank correlation between the means of all scores in the table of scores.aggregate, one row per ordered pair:
    score_a, epoch_a, score_b, epoch_b, spearman; the epoch is -1 for a score that has none."""
    means = {name: parsed for name in table if (parsed := parse_column(str(name)))}
    with threadpool_limits(1, user_api="blas"):  # several threads add up in another order
        correlations = rank_correlations([table[name].to_numpy(np.float64) for name in means])
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
            ranked = rankings(scores.values[:, i])
            found = [correlation(ranked(one), ranked(other)) for one, other in groups]
            if not np.isnan(found).any():  # a score that is the same for all images has no ranking
                rows.append((epoch, size, np.mean(found), *band(found)))
    return pd.DataFrame(rows, columns=["epoch", "seeds", "spearman", "low", "high"])
