"""The data that a selection method may choose by, and the type of its result."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np


@dataclass(frozen=True)
class HeldOut:
    """The v validation images, as one network sees them. labels: int64 [v]; outputs: float32 [v, classes], its log
    softmax; features: float32 [v, d], the inputs of its last layer, or None if they were not kept."""

    labels: np.ndarray
    outputs: np.ndarray
    features: np.ndarray | None = None


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

    def target_outputs(self, target: str | None, epoch: int) -> np.ndarray:
        """What one of the networks, after an epoch, predicts for the training images of another data set (a name of
        target.sets; None for the only one): log softmax over the classes of these n images, float32 [t, classes].

        Raises ValueError if there is no such target.
        """

    def target_features(self, target: str | None, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """The inputs of the last layer of one network after an epoch, of these images and of a target's training
        images, as in ``target_outputs``: float32 [n, d] and [t, d].

        Raises ValueError if there is no such target, or if they were not kept.
        """

    def held_out(self, epoch: int) -> HeldOut:
        """The validation images, by the network whose features(epoch) are. Raises ValueError if there are none."""

    def recalls(self, epoch: int) -> np.ndarray:
        """Of every class the fraction of its validation images that are classified right, the mean over the networks:
        float64 [classes], NaN of a class without any. Raises ValueError if there are no validation images."""


@dataclass(frozen=True)
class Given:
    """Evidence in memory, the same after every epoch."""

    labels: np.ndarray
    classes: int
    scores: Mapping[str, np.ndarray] = field(default_factory=dict)
    feature_rows: np.ndarray | None = None
    output_rows: np.ndarray | None = None
    target_log_probabilities: np.ndarray | None = None
    target_feature_rows: np.ndarray | None = None
    validation: HeldOut | None = None

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

    def target_outputs(self, target: str | None, epoch: int) -> np.ndarray:
        if self.target_log_probabilities is None:
            raise ValueError("no outputs for a target were given")
        return self.target_log_probabilities

    def target_features(self, target: str | None, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        if self.target_feature_rows is None:
            raise ValueError("no features of a target were given")
        return self.features(epoch), self.target_feature_rows

    def held_out(self, epoch: int) -> HeldOut:
        if self.validation is None:
            raise ValueError("no validation images were given")
        return self.validation

    def recalls(self, epoch: int) -> np.ndarray:
        held = self.held_out(epoch)
        return recalls_of(held.outputs, held.labels, self.classes)


def recalls_of(outputs: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """The fraction of every class that outputs [v, classes] classify right: float64 [classes], NaN without an image."""
    right = outputs.argmax(axis=1) == labels
    with np.errstate(invalid="ignore"):
        return np.bincount(labels[right], minlength=classes) / np.bincount(labels, minlength=classes)


@dataclass(frozen=True)
class Chosen:
    """rows: int64 [m], distinct, in the order of choice if the method has one. weights: float32 [m] of mean 1, how much
    each image counts in the loss; None if all count the same. about: what else the choice decided, such as how many
    classes tied; it goes into the subset's file."""

    rows: np.ndarray
    weights: np.ndarray | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
