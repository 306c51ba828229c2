"""Walk through a plan without a network: made-up losses in place of those of visits."""

from collections.abc import Callable

import numpy as np

from winnow.streams import numpy_stream
from winnow.training.plan import Moment, Plan, Visits

Losses = Callable[[int, np.ndarray], np.ndarray]  # of an epoch and its rows


def no_features() -> np.ndarray:
    raise AssertionError("this method needs no features")


def walk(
    plan: Plan,
    epochs: int,
    losses: Losses = lambda _, rows: np.ones(len(rows), np.float32),
    seed: int = 0,
    features: Callable[[], np.ndarray] = no_features,
) -> list[Visits]:
    """What a plan visits in every epoch; all visits fill their batches."""
    state, found = plan.begin, []
    for epoch in range(epochs):
        visits = plan.choose(Moment(epoch, state, numpy_stream(seed, "visits", epoch), features))
        assert (np.diff(visits.rows) > 0).all()  # distinct, and so rows of a set
        state = state if visits.state is None else visits.state
        state = plan.update(state, visits.rows, losses(epoch, visits.rows))
        found.append(visits)
    return found
