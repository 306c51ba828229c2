"""The scores and features of the early runs, as evidence for selection."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from winnow.scores.aggregate import mean_and_stderr
from winnow.scores.columns import column
from winnow.scores.runs import EarlyRuns
from winnow.scores.seed_scores import NO_EPOCH, load_scores
from winnow.scores.sources import file_of
from winnow.selection.evidence import Evidence


@dataclass(frozen=True)
class OfRuns:
    """table: all images, from scores.aggregate. runs: the features are those of its first seed. folder: the scores
    seed by seed."""

    table: pd.DataFrame
    classes: int
    runs: EarlyRuns
    folder: Path

    @property
    def labels(self) -> np.ndarray:
        return self.table["label"].to_numpy()

    def score(self, name: str, epoch: int, source: str | None = None) -> np.ndarray:
        if source is not None:
            theirs = load_scores([file_of(self.folder, source, name)])
            return mean_and_stderr(theirs.values)[0][theirs.epochs.index(epoch)].astype(np.float32)
        for found in (column(name, epoch), column(name, NO_EPOCH)):
            if found in self.table:
                return self.table[found].to_numpy()
        raise ValueError(f"the scores have no column {column(name, epoch)}: {name} was not computed at that epoch")

    def features(self, epoch: int) -> np.ndarray:
        return self.runs.features(self.runs.seeds[0], epoch)


def missing_class(rows: np.ndarray, evidence: Evidence) -> int | None:
    """The first class without an image in these rows; None if every class has one."""
    empty = np.flatnonzero(np.bincount(evidence.labels[rows], minlength=evidence.classes) == 0)
    return int(empty[0]) if len(empty) else None
