"""What a selection method may choose by, and what it gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np


class Evidence(Protocol):
    """What is known of n training images. Only what is asked for is read, or computed."""

    @property
    def labels(self) -> np.ndarray:
        """int64 [n]."""

    @property
    def classes(self) -> int:
        """How many classes there are, those without an image too."""

    def score(self, name: str, epoch: int) -> np.ndarray:
        """A score after an epoch, the mean over the seeds: float [n]; inf for an image that was never learned.

        Raises ValueError if there is no such score.
        """

    def features(self, epoch: int) -> np.ndarray:
        """The inputs of the last layer of one network after an epoch: float32 [n, d].

        Of one network, as means of features over networks have no meaning. Raises ValueError if they were not kept.
        """


@dataclass(frozen=True)
class Given:
    """Evidence in memory, the same after every epoch."""

    labels: np.ndarray
    classes: int
    scores: Mapping[str, np.ndarray] = field(default_factory=dict)
    feature_rows: np.ndarray | None = None

    def score(self, name: str, epoch: int) -> np.ndarray:
        if name not in self.scores:
            raise ValueError(f"no score {name!r} was given; there are {', '.join(self.scores) or 'none'}")
        return self.scores[name]

    def features(self, epoch: int) -> np.ndarray:
        if self.feature_rows is None:
            raise ValueError("no features were given")
        return self.feature_rows


@dataclass(frozen=True)
class Chosen:
    """rows: int64 [m], distinct, in the order of choice, where the method has one. weights: float32 [m] of mean 1, how
    much each image counts in the loss; None where all count the same."""

    rows: np.ndarray
    weights: np.ndarray | None = None
