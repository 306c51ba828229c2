"""What a function that changes a mask during training knows of its level."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # params.yaml is checked without torch
    from winnow.training.loop import Run


@dataclass(frozen=True)
class During:
    """first, last: the steps of the schedule where the training begins and ends. before, after: how many weights remain
    at these steps. prune: keep so many of a run's weights, by the level's criterion and allocation."""

    first: int
    last: int
    before: int
    after: int
    prune: Callable[["Run", int], None]
