"""The upper confidence bound of Raju et al. 2021 ("Accelerating Deep Learning with Dynamic Data Pruning")."""

from typing import Annotated

import numpy as np
from annotated_types import Ge

from winnow.training.plan import Moment, Plan, State
from winnow.training.visits._draws import Share, count
from winnow.training.visits._held import Interval, every
from winnow.training.visits._means import Smoothing, averaged, highest, unknown


def ucb(
    images: int,
    _epochs: int,
    *,
    keep: Share,
    interval: Interval = 1,
    smoothing: Smoothing = 0.8,
    confidence: Annotated[float, Ge(0)] = 1.0,
) -> Plan:
    """Visit the images whose loss, by its moving mean and variance, may be highest. Images without a visit come first.

    keep: the share of the images that are chosen. interval: how many epochs a choice holds. smoothing: the weight of
    the newest loss in mean and variance (a). confidence: images of the highest mean + confidence * variance are chosen
    (c); 0 is greedy.

    The paper measures an uncertainty of the output, not the loss, and the values of smoothing and confidence were not
    checked against it: this is after other people's code.
    """
    size = count(keep, images)

    def pick(moment: Moment) -> np.ndarray:
        return highest(moment.rng, moment.state["mean"] + confidence * moment.state["variance"], size)

    def update(state: State, rows: np.ndarray, losses: np.ndarray) -> State:
        return averaged(state, rows, losses, smoothing)

    return Plan(every(interval, images, pick), {**unknown(images), "chosen": np.zeros(images, bool)}, update)
