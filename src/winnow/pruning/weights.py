"""What the weights that survive pruning start from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # params.yaml is checked without torch
    from torch import Tensor

State = dict[str, "Tensor"]  # a network's state dict: weights, and the statistics of batch norm


@dataclass(frozen=True)
class States:
    """The weights to choose from, all on the CPU. trained: the parent's, after its training. rewound: the rewind
    point's. fresh: of a new initialisation, on which the mask does not depend. updated, corrected: the parent's, which
    the criterion, or ``bias_correction``, has changed to make up for the pruned weights."""

    trained: State
    rewound: State
    fresh: Callable[[], State]
    updated: Callable[[], State]
    corrected: Callable[[], State]


WEIGHTS: dict[str, Callable[[States], State]] = {
    "rewind": lambda states: states.rewound,
    "trained": lambda states: states.trained,
    "fresh": lambda states: states.fresh(),
    "updated": lambda states: states.updated(),
    "corrected": lambda states: states.corrected(),
}
MAKE_UP = ("updated", "corrected")  # the trained weights, changed to make up for the pruned ones
