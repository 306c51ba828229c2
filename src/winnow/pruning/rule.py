"""What a level does: its choices as functions, their options filled in."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from winnow.pruning.rounds import in_rounds
from winnow.pruning.trains import Trains, every

if TYPE_CHECKING:  # params.yaml is checked without torch
    from winnow.pruning.context import Context, Scores
    from winnow.pruning.during_level import During
    from winnow.pruning.masks import Mask
    from winnow.pruning.prune import Allocation
    from winnow.pruning.schedules import Trained
    from winnow.pruning.weights import State, States
    from winnow.training.distillation import Teaching
    from winnow.training.loop import Changes


@dataclass(frozen=True)
class Rule:
    """criterion: None if the mask does not change. rounds: from the criterion's scores to a mask
    (``rounds.in_rounds``), with options filled in. structure: says which weights stay (``patterns.patterned``); None
    for single weights. anywhere: whether the level has as many weights as its parent, at any places (as
    ``allocations.of_parent``). during: changes the mask during training; None if it stays. moves: whether the level is
    pruned before the training all the same, and ``during`` only moves weights. fraction: how much of the parent's
    weights to prune; or max_error_rise: how far pruning may raise the training error, and min_density: the least
    fraction of all weights to keep. floor: how many weights every layer keeps at least. uses: whether the allocation
    needs to know how often weights are used. update: the criterion's way to make up for pruned weights; None if the
    level does not ask for it. makes_up: whether the weights are the trained ones, changed to make up for the pruned
    ones. trains: what the training changes. activating: prunes some of the weights in another way; None if the level
    leaves all to its criterion. distilling: what the parent's outputs teach the level; None without a teacher.
    recalibrates: whether there is no training, so that only the statistics of batch norm adapt to the mask. has_parent:
    whether the level prunes trained weights."""

    criterion: "Callable[[Context], Scores] | None"
    allocation: "Allocation"
    structure: "partial[Mask] | None"
    anywhere: bool
    during: "Callable[[During], Changes] | None"
    moves: bool
    weights: "Callable[[States], State]"
    schedule: "Trained"
    fraction: float | None = None
    max_error_rise: float | None = None
    min_density: float | None = None
    floor: int | float = 0
    rounds: "Callable[..., Callable[[int], Mask]]" = in_rounds
    uses: bool = False
    update: "Callable[[Context, Mask], State] | None" = None
    makes_up: bool = False
    trains: Trains = every
    activating: "Callable[..., Callable[[int], Mask]] | None" = None
    distilling: "Callable[..., Teaching] | None" = None
    recalibrates: bool = False
    has_parent: bool = True
