"""How the weights that survive pruning are trained: the schedule, and its first step."""

from collections.abc import Callable
from dataclasses import replace

from winnow.training.schedule import Schedule

MOST_TIMES = 2.0  # as many steps as the whole schedule has, for a pruned network with the dense one's budget

# From the whole schedule, the step of the rewind point, and a function that gives the fraction of the multiplications
# that remains
Trained = Callable[[Schedule, int, Callable[[], float]], tuple[Schedule, int]]


def rest(schedule: Schedule, tau: int, _left: Callable[[], float]) -> tuple[Schedule, int]:
    """The schedule from the step of the rewind point (tau) on."""
    return schedule, tau


def full(schedule: Schedule, _tau: int, _left: Callable[[], float]) -> tuple[Schedule, int]:
    """The whole schedule."""
    return schedule, 0


def last_rate(schedule: Schedule, tau: int, _left: Callable[[], float]) -> tuple[Schedule, int]:
    """As many steps as from the rewind point on, at the learning rate of the last step (Renda et al. 2020)."""
    rate = schedule.learning_rate(schedule.total - 1)
    return replace(schedule, peak=rate, warmup=0, decay_at=(), cosine_to=0), tau


def same_budget(schedule: Schedule, _tau: int, left: Callable[[], float]) -> tuple[Schedule, int]:
    """The whole schedule, longer, so that the pruned network takes as many multiplications to train as the dense one,
    but at most twice as long (Liu et al. 2019, "Rethinking the value of network pruning", sec. 3, Scratch-B; they have
    the limit on ImageNet alone)."""
    return schedule.stretched(1 / max(left(), 1 / MOST_TIMES)), 0


def no_training(schedule: Schedule, _tau: int, _left: Callable[[], float]) -> tuple[Schedule, int]:
    """No step. The statistics of batch norm are computed again, on the training images."""
    return schedule, schedule.total


SCHEDULES: dict[str, Trained] = {
    "rest": rest,
    "full": full,
    "same_budget": same_budget,
    "last_rate": last_rate,
    "no_training": no_training,
}
