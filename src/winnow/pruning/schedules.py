"""How the weights that survive pruning are trained: the schedule, and its first step."""

from collections.abc import Callable
from dataclasses import replace

from winnow.training.schedule import Schedule


def rest(schedule: Schedule, tau: int) -> tuple[Schedule, int]:
    """The schedule from the step of the rewind point (tau) on."""
    return schedule, tau


def full(schedule: Schedule, _tau: int) -> tuple[Schedule, int]:
    """The whole schedule."""
    return schedule, 0


def last_rate(schedule: Schedule, tau: int) -> tuple[Schedule, int]:
    """As many steps as from the rewind point on, at the learning rate of the last step (Renda et al. 2020)."""
    rate = schedule.learning_rate(schedule.total - 1)
    return replace(schedule, peak=rate, warmup=0, decay_at=(), cosine_to=0), tau


def no_training(schedule: Schedule, _tau: int) -> tuple[Schedule, int]:
    """No step. The statistics of batch norm are computed again, on the training images."""
    return schedule, schedule.total


SCHEDULES: dict[str, Callable[[Schedule, int], tuple[Schedule, int]]] = {
    "rest": rest,
    "full": full,
    "last_rate": last_rate,
    "no_training": no_training,
}
