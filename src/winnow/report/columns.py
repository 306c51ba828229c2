"""The score columns of the table of all images: ``{score}_epoch{e}_mean``, or ``{score}_mean`` without an epoch."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from winnow.report.style import score_title


class ScoreColumn(NamedTuple):
    """One score at one epoch; epoch -1 for a score that does not change with training."""

    score: str
    epoch: int

    @property
    def title(self) -> str:
        """The column in words, such as "EL2N, epoch 5"."""
        return score_title(self.score) if self.epoch < 0 else f"{score_title(self.score)}, epoch {self.epoch}"

    @property
    def mean(self) -> str:
        """The name of the table's column of means over seeds."""
        return f"{self.score}_mean" if self.epoch < 0 else f"{self.score}_epoch{self.epoch}_mean"


def score_columns(names: Iterable[str]) -> list[ScoreColumn]:
    """The scores among a table's column names, in the order of ``in_order``."""
    found = []
    for name in names:
        if match := re.fullmatch(r"(.+?)(?:_epoch(\d+))?_mean", name):
            found.append(ScoreColumn(match[1], -1 if match[2] is None else int(match[2])))
    return in_order(found)


def in_order(columns: Iterable[ScoreColumn]) -> list[ScoreColumn]:
    """Scores in order of first appearance, each by rising epoch, none twice; those without an epoch last."""
    unique = list(dict.fromkeys(columns))
    first = {score: place for place, score in reversed(list(enumerate(column.score for column in unique)))}
    return sorted(unique, key=lambda column: (column.epoch < 0, first[column.score], column.epoch))
