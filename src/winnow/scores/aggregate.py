"""The table of all images: the mean of every score over the seeds, with its standard error."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from winnow.scores.columns import column
from winnow.scores.seed_scores import SeedScores


def mean_and_stderr(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean over the first axis (seeds), and its standard error s / sqrt(S): nan for one seed, or an infinite value.

    values: [seeds, ..., n]. A NaN, of an image that a seed has not trained on, does not count. It does count for a seed
    that has only NaN, because its training diverged.
    """
    values, absent, count = _counted(values)
    # inf - inf and 0 / 0 are nan, which is the right standard error there and needs no warning
    with np.errstate(invalid="ignore"):
        mean = values.sum(axis=0) / count
        squares = np.square(np.subtract(values, mean, out=values), out=values)
        squares[absent] = 0
        variance = squares.sum(axis=0) / (count - 1)
        return mean, np.sqrt(variance) / np.sqrt(count)


def mean_over_seeds(values: np.ndarray) -> np.ndarray:
    """The mean alone of ``mean_and_stderr``, float64 [..., n]."""
    values, _, count = _counted(values)
    with np.errstate(invalid="ignore"):
        mean: np.ndarray = values.sum(axis=0) / count
    return mean


def _counted(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A copy of the values as float64, 0 where they do not count; where that is, bool; and how many count, [..., n]."""
    values = values.astype(np.float64)
    absent = np.isnan(values)
    absent &= ~absent.all(axis=-1, keepdims=True)
    values[absent] = 0
    return values, absent, len(values) - absent.sum(axis=0)


def score_table(images: pd.DataFrame, scores: Mapping[str, SeedScores]) -> pd.DataFrame:
    """The table of images (id, position, label, class, …) with the columns mean and stderr for every score and epoch
    (their names: scores.columns)."""
    columns = {}
    for name, score in scores.items():
        for i, epoch in enumerate(score.epochs):
            mean, stderr = mean_and_stderr(score.values[:, i])
            columns[column(name, epoch)] = mean.astype(np.float32)
            columns[column(name, epoch, "stderr")] = stderr.astype(np.float32)
    return pd.concat([images, pd.DataFrame(columns, index=images.index)], axis=1)
