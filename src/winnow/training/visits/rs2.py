"""Repeated sampling of random subsets (Okanovic et al. 2023, "Repeated Random Sampling for Minimizing the
Time-to-Accuracy of Learning")."""

import numpy as np

from winnow.training.plan import Moment, Plan, State, Visits
from winnow.training.visits._draws import Share, count, draw


def rs2(images: int, _epochs: int, *, keep: Share, replacement: bool = False) -> Plan:
    """Visit a share of the images in every epoch, drawn anew at random.

    keep: the share. replacement: between epochs; every epoch draws from all images. Without it, an epoch takes the
    images that have been visited least often, in random order. This is the walk through shuffled images in blocks of
    the paper, but no block holds an image twice, and images that a pass drops with its last incomplete batch come
    next. So the visits of any two images differ by one at most.
    """
    size = count(keep, images)

    def from_all(moment: Moment) -> Visits:
        return Visits(draw(moment.rng, np.arange(images), size))

    def least_visited(moment: Moment) -> Visits:
        order = moment.rng.permutation(images)
        return Visits(np.sort(order[np.argsort(moment.state["visits"][order], kind="stable")[:size]]))

    def add(state: State, rows: np.ndarray, _losses: np.ndarray) -> State:
        visits = state["visits"].copy()
        visits[rows] += 1
        return {"visits": visits}

    return Plan(from_all) if replacement else Plan(least_visited, {"visits": np.zeros(images, np.int64)}, add)
