"""What the variants of pruning do: which mask a level has, from which weights it trains, and by which schedule."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor

from winnow.params.imp import Level, Variant
from winnow.tickets.cut import cut_most, cut_random, cut_smallest
from winnow.tickets.masks import Mask, count_left
from winnow.training.schedule import Schedule

State = dict[str, Tensor]  # a network's state dict: weights, and the statistics of batch norm


@dataclass(frozen=True)
class Parent:
    """What a level is made from. All tensors on the CPU."""

    state: State  # the parent's, after its training
    mask: Mask
    rewound: State  # the rewind point's
    initial: Callable[[int], State]  # a fresh initialisation of a seed
    error_of: Callable[[Mask], float]  # training error of the parent's trained weights under a mask, 0 to 1
    seed: int  # the replicate's


@dataclass(frozen=True)
class VariantRule:
    """The three choices of a variant: the mask; the weights before the first step; and the schedule with the step of
    it at which training begins."""

    mask: Callable[[Parent, Level, int], Mask]  # the int is the floor: weights that every layer keeps
    weights: Callable[[Parent], State]
    schedule: Callable[[Schedule, int], tuple[Schedule, int]]


def smallest_cut(parent: Parent, level: Level, floor: int) -> Mask:
    """The mask without the given share of smallest weights."""
    assert level.cut is not None  # the schema sees to it
    return cut_smallest(parent.state, parent.mask, level.cut, floor)


def adaptive_cut(parent: Parent, level: Level, floor: int) -> Mask:
    """The largest cut that raises the training error, before retraining, by the budget at most; none that leaves less
    than ``until`` of all weights."""
    assert level.budget is not None
    every, left = sum(layer.numel() for layer in parent.mask.values()), count_left(parent.mask)
    most = 1.0 if level.until is None else max(0.0, 1 - level.until * every / max(left, 1))
    limit = parent.error_of(parent.mask) + level.budget
    return cut_most(parent.state, parent.mask, parent.error_of, limit, floor, most).mask


def random_places(parent: Parent, _level: Level, _floor: int) -> Mask:
    """As many weights of every layer as the parent has, at random places."""
    return cut_random(parent.mask, parent.seed)


def same_mask(parent: Parent, _level: Level, _floor: int) -> Mask:
    """The parent's."""
    return parent.mask


def from_rewind_point(plan: Schedule, tau: int) -> tuple[Schedule, int]:
    """The rest of the schedule."""
    return plan, tau


def from_start(plan: Schedule, _tau: int) -> tuple[Schedule, int]:
    """All of the schedule."""
    return plan, 0


def last_rate(plan: Schedule, tau: int) -> tuple[Schedule, int]:
    """As many steps as from the rewind point on, at the learning rate of the last step (Renda et al. 2020)."""
    rate = plan.learning_rate(plan.total - 1)
    return replace(plan, peak=rate, warmup=0, decay_at=()), tau


def rewound(parent: Parent) -> State:
    """The weights of the rewind point."""
    return parent.rewound


def trained(parent: Parent) -> State:
    """The parent's trained weights."""
    return parent.state


def fresh(parent: Parent) -> State:
    """New weights that the mask has not seen."""
    return parent.initial(parent.seed)


VARIANTS: dict[Variant, VariantRule] = {
    "imp": VariantRule(smallest_cut, rewound, from_rewind_point),
    "learning_rate": VariantRule(smallest_cut, trained, from_rewind_point),
    "fine_tuning": VariantRule(smallest_cut, trained, last_rate),
    "one_shot": VariantRule(smallest_cut, rewound, from_rewind_point),
    "trial": VariantRule(smallest_cut, rewound, from_rewind_point),
    "adaptive": VariantRule(adaptive_cut, rewound, from_rewind_point),
    "random": VariantRule(random_places, rewound, from_rewind_point),
    "fresh": VariantRule(same_mask, fresh, from_start),
    "dense": VariantRule(same_mask, rewound, from_rewind_point),
}
