"""What a training that chooses as it goes visits in every epoch: the types that the loop and the methods share.

A ``Plan`` is functions and values. What it knows of the images is a map of arrays, which the loop keeps in the
checkpoint. So a restart gives the same choices. ``winnow.training.visits`` has the methods that make plans.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

State = Mapping[str, np.ndarray]  # what is known of n images, arrays by name, each [n]; nobody writes into them


@dataclass(frozen=True)
class Moment:
    """What a choice may depend on: the epoch about to begin (from 0), what is known of the images, the random stream of
    this seed and epoch, and the features of the network as it is now: a function that computes them, float16 [n, d],
    without augmentation, in one pass over all images."""

    epoch: int
    state: State
    rng: np.random.Generator
    features: Callable[[], np.ndarray]


@dataclass(frozen=True)
class Visits:
    """The images of one epoch. rows: int64 [m], distinct, rising; the loop draws their order, and drops what does not
    fill a batch. weights: float32 [m], how much each counts in the loss, a mean over the batch; None if all count the
    same. state: what is known of the images after the choice; None if the choice changes nothing."""

    rows: np.ndarray
    weights: np.ndarray | None = None
    state: State | None = None


def as_before(state: State, _rows: np.ndarray, _losses: np.ndarray) -> State:
    """Learn nothing from the losses."""
    return state


@dataclass(frozen=True)
class Plan:
    """How a training chooses.

    choose: called before every epoch. begin: what is known of the images at the start. update: called after every
    epoch; takes what is known, the rows that were visited, int64 [v], rising, and the loss of each at its visit (nats,
    in training mode, augmented, whatever its weight), float32 [v]; gives what is known then. length: of the training,
    as a share of the schedule.
    """

    choose: Callable[[Moment], Visits]
    begin: State = field(default_factory=dict)
    update: Callable[[State, np.ndarray, np.ndarray], State] = as_before
    length: float = 1.0
