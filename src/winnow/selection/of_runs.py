"""The scores, features and outputs of the early runs, as evidence for selection."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from winnow.datasets.images import load_labels
from winnow.scores.aggregate import mean_and_stderr
from winnow.scores.columns import column
from winnow.scores.runs import EarlyRuns
from winnow.scores.seed_scores import NO_EPOCH, SeedScores, load_scores
from winnow.scores.sources import file_of
from winnow.selection.evidence import Evidence, HeldOut, recalls_of


@dataclass(frozen=True)
class OfRuns:
    """table: all images, from scores.aggregate. runs: the features and outputs are those of its first seed, and the
    recalls those of all its seeds.
    seed_scores: reads a score of every seed, by its name. folder: the scores of the sources."""

    table: pd.DataFrame
    classes: int
    runs: EarlyRuns
    seed_scores: Callable[[str], SeedScores]
    folder: Path

    @property
    def labels(self) -> np.ndarray:
        return self.table["label"].to_numpy()

    def score(self, name: str, epoch: int, seeds: range | None = None, source: str | None = None) -> np.ndarray:
        if seeds is not None:
            return mean_over(self.seed_scores(name), epoch, seeds)
        if source is not None:
            theirs = load_scores([file_of(self.folder, source, name)])
            return mean_and_stderr(theirs.values)[0][theirs.epochs.index(epoch)].astype(np.float32)
        for found in (column(name, epoch), column(name, NO_EPOCH)):
            if found in self.table:
                return self.table[found].to_numpy()
        raise ValueError(f"the scores have no column {column(name, epoch)}: {name} was not computed at that epoch")

    def features(self, epoch: int) -> np.ndarray:
        return self.runs.features(self.runs.seeds[0], epoch).astype(np.float32)

    def outputs(self, epoch: int) -> np.ndarray:
        return self.runs.log_probabilities(self.runs.seeds[0], epoch)

    def held_out(self, epoch: int) -> HeldOut:
        labels, seed = self._validation_labels(), self.runs.seeds[0]
        features = self.runs.on_validation(seed, epoch, "features").astype(np.float32)
        return HeldOut(labels, self.runs.on_validation(seed, epoch, "log_probabilities"), features)

    def recalls(self, epoch: int) -> np.ndarray:
        labels = self._validation_labels()
        outputs = (self.runs.on_validation(seed, epoch, "log_probabilities") for seed in self.runs.seeds)
        return np.mean([recalls_of(own, labels, self.classes) for own in outputs], axis=0)

    def _validation_labels(self) -> np.ndarray:
        labels = load_labels(self.runs.dataset / "validation.parquet")
        if not len(labels):
            raise ValueError("needs validation images: set download.validation above 0")
        return labels


def mean_over(score: SeedScores, epoch: int, seeds: range) -> np.ndarray:
    """The mean of a score after an epoch over the seeds at these places: float32 [n], of all seeds what the table has.

    Raises ValueError if there are not so many seeds, or if an image has no score of any of them.
    """
    if seeds.stop > len(score.seeds):
        raise ValueError(f"needs {seeds.stop} seeds, but early.cohorts has {len(score.seeds)}")
    if epoch not in score.epochs:
        raise ValueError(f"no seed has the score of epoch {epoch}")
    mean = mean_and_stderr(score.values[list(seeds), score.epochs.index(epoch)])[0].astype(np.float32)
    without = int(np.isnan(mean).sum())
    if without:
        raise ValueError(f"{without} images have no score of these seeds, which have not trained on them: take more")
    return mean


def missing_classes(rows: np.ndarray, evidence: Evidence) -> np.ndarray:
    """int [m]: the classes without an image in these rows."""
    return np.flatnonzero(np.bincount(evidence.labels[rows], minlength=evidence.classes) == 0)
