"""The table of all images: the mean of every score over the seeds, with its standard error."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from winnow.scores.columns import column
from winnow.scores.seed_scores import SeedScores


def mean_and_stderr(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean over the first axis (seeds), and its standard error s / sqrt(S): nan for one seed, or an infinite value."""
    values = values.astype(np.float64)
    mean = values.mean(axis=0)
    if len(values) == 1:
        return mean, np.full_like(mean, np.nan)
    # inf - inf is nan, which is the right standard error there and needs no warning
    with np.errstate(invalid="ignore"):
        return mean, values.std(axis=0, ddof=1) / np.sqrt(len(values))


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
