"""What a function that changes a mask during training knows of its level."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class During:
    """first, last: the steps of the schedule where the training begins and ends. before, after: how many weights remain
    at these steps. prune: keep so many of a run's weights, by the level's criterion and allocation; or, with scores as
    a third argument, the highest of these by the allocation, among all weights with which the level began."""

    first: int
    last: int
    before: int
    after: int
    prune: Callable[..., None]
