"""Greedy choice with random exploration (Raju et al. 2021, "Accelerating Deep Learning with Dynamic Data Pruning")."""

from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from winnow.training.plan import Moment, Plan, State
from winnow.training.visits._draws import Share, count, draw
from winnow.training.visits._held import Interval, every
from winnow.training.visits._means import Smoothing, averaged, highest, unknown


def epsilon_greedy(
    images: int,
    _epochs: int,
    *,
    keep: Share,
    interval: Interval = 1,
    smoothing: Smoothing = 0.8,
    epsilon: Annotated[float, Ge(0), Le(1)] = 0.1,
) -> Plan:
    """Visit the images of the highest moving mean of the loss, and some of the others at random. Images without a visit
    come first.

    keep: the share of the images that are chosen. interval: how many epochs a choice holds. smoothing: the weight of
    the newest loss in the mean. epsilon: the share of the chosen that is drawn at random from all that the mean did not
    choose; 0 is greedy, 1 is random, as rs2 with replacement.

    The paper measures an uncertainty of the output, not the loss, and the default values were not checked against it.
    """
    size = count(keep, images)
    explored = round(epsilon * size)

    def pick(moment: Moment) -> np.ndarray:
        best = highest(moment.rng.spawn(1)[0], moment.state["mean"], size - explored)
        others = np.setdiff1d(np.arange(images), best)
        return np.concatenate([best, draw(moment.rng, others, explored)])

    def update(state: State, rows: np.ndarray, losses: np.ndarray) -> State:
        return averaged(state, rows, losses, smoothing)

    return Plan(every(interval, images, pick), {**unknown(images), "chosen": np.zeros(images, bool)}, update)
