"""How structures are called: their modules say what they take (``winnow.pruning.structures``)."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from winnow import methods

if TYPE_CHECKING:  # params.yaml is checked without torch
    from torch import Tensor

    from winnow.pruning.context import Context, Scores
    from winnow.pruning.masks import Mask
    from winnow.pruning.prune import Allocation

Structure = Callable[..., "Mask"]


def patterned(
    structure: "partial[Mask]",
    scores: "Scores",
    mask: "Mapping[str, Tensor]",
    context: "Context",
    left: int,
    allocation: "Allocation",
) -> "Mask":
    """The mask that a structure, its options filled in, makes of scores; with ``left`` weights at most and with the
    allocation, if it takes these."""
    if takes_prune(structure):
        return structure(scores, mask, context, left, allocation)
    return structure(scores, mask, *([context] if methods.has_mark(structure, "TAKES_CONTEXT") else []))


def takes_prune(structure: Structure) -> bool:
    """Whether the level says how much is pruned, and by which allocation; else the structure says it."""
    return methods.has_mark(structure, "TAKES_PRUNE")


def counts_with(structure: Structure, allocation: Callable[..., Any]) -> bool:
    """Whether the structure takes this allocation."""
    return takes_prune(structure) and methods.has_mark(allocation, "OF_CHANNELS")
