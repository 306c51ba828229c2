"""The scores, features and outputs of the early runs, as evidence for selection."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
from winnow.storage import load_tensors


@dataclass(frozen=True)
class OfRuns:
    """table: all images, from scores.aggregate. runs: the features and outputs are those of its first seed, and the
    recalls those of all its seeds. seed_scores: reads a score of every seed, by its name. folder: the scores of the
    sources. targets: for every target, the runs of which the first network has seen it, and the folder of what it makes
    of it, by epoch."""

    table: pd.DataFrame
    classes: int
    runs: EarlyRuns
    seed_scores: Callable[[str], SeedScores]
    folder: Path
    targets: Mapping[str, tuple[EarlyRuns, Path]] = field(default_factory=dict)

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

    def target_outputs(self, target: str | None, epoch: int) -> np.ndarray:
        return load_tensors(self._on(target)[1] / f"epoch{epoch}.safetensors", "log_probabilities")["log_probabilities"]

    def target_features(self, target: str | None, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        runs, folder = self._on(target)
        theirs = load_tensors(folder / f"epoch{epoch}.safetensors", "features")["features"]
        return runs.features(runs.seeds[0], epoch).astype(np.float32), theirs.astype(np.float32)

    def _on(self, target: str | None) -> tuple[EarlyRuns, Path]:
        if target is None and len(self.targets) == 1:
            return next(iter(self.targets.values()))
        if target is None or target not in self.targets:
            raise ValueError(f"target: must be one of target.sets, which are {', '.join(self.targets) or 'none yet'}")
        return self.targets[target]

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
