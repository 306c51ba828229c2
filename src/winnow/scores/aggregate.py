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
    values = values.astype(np.float64)
    absent = np.isnan(values)
    absent &= ~absent.all(axis=-1, keepdims=True)
    count = (~absent).sum(axis=0)
    # inf - inf and 0 / 0 are nan, which is the right standard error there and needs no warning
    with np.errstate(invalid="ignore"):
        mean = np.where(absent, 0, values).sum(axis=0) / count
        variance = np.where(absent, 0, np.square(values - mean)).sum(axis=0) / (count - 1)
        return mean, np.sqrt(variance) / np.sqrt(count)


def score_table(images: pd.DataFrame, scores: Mapping[str, SeedScores]) -> pd.DataFrame:
    """The table of images (id, position, label, class, …) with the columns mean and stderr for every score and epoch
    (their names: scores.columns)."""
    columns = {}
    for name, score in scores.items():
        mean, stderr = mean_and_stderr(score.values)
        for i, epoch in enumerate(score.epochs):
            columns[column(name, epoch)] = mean[i].astype(np.float32)
            columns[column(name, epoch, "stderr")] = stderr[i].astype(np.float32)
    return pd.concat([images, pd.DataFrame(columns, index=images.index)], axis=1)
