"""The data that a selection method may choose by, and the type of its result."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np


class Evidence(Protocol):
    """What is known of n training images. Each method reads or computes its part when it is called."""

    @property
    def labels(self) -> np.ndarray:
        """int64 [n]."""

    @property
    def classes(self) -> int:
        """The number of classes, including those without an image."""

    def score(self, name: str, epoch: int, seeds: range | None = None, source: str | None = None) -> np.ndarray:
        """A score after an epoch, the mean over the seeds: float [n]; inf for an image that was never learned.

        seeds: take the mean over those at these places only, in the order of the cohorts. source: of these other
        networks (transfer.sources), all of them. Raises ValueError if no score has this name, or if there are not so
        many seeds.
        """

    def features(self, epoch: int) -> np.ndarray:
        """The inputs of the last layer of one network after an epoch: float32 [n, d].

        One network, because means of features over networks have no meaning. Raises ValueError if they were not kept.
        """

    def outputs(self, epoch: int) -> np.ndarray:
        """The log softmax of the network whose features(epoch) are: float32 [n, classes].

        Raises ValueError if they were not kept.
        """


@dataclass(frozen=True)
class Given:
    """Evidence in memory, the same after every epoch."""

    labels: np.ndarray
    classes: int
    scores: Mapping[str, np.ndarray] = field(default_factory=dict)
    feature_rows: np.ndarray | None = None
    output_rows: np.ndarray | None = None

    def score(self, name: str, epoch: int, seeds: range | None = None, source: str | None = None) -> np.ndarray:
        if seeds is not None:
            raise ValueError("seeds: scores are given as means; give the means over fewer seeds instead")
        if source is not None:
            raise ValueError("source: give the scores of other networks as scores")
        if name not in self.scores:
            raise ValueError(f"no score {name!r} was given; there are {', '.join(self.scores) or 'none'}")
        return self.scores[name]

    def features(self, epoch: int) -> np.ndarray:
        if self.feature_rows is None:
            raise ValueError("no features were given")
        return self.feature_rows

    def outputs(self, epoch: int) -> np.ndarray:
        if self.output_rows is None:
            raise ValueError("no outputs were given")
        return self.output_rows


@dataclass(frozen=True)
class Chosen:
    """rows: int64 [m], distinct, in the order of choice if the method has one. weights: float32 [m] of mean 1, how much
    each image counts in the loss; None if all count the same."""

    rows: np.ndarray
    weights: np.ndarray | None = None
