"""FORCE (de Jorge et al. 2021, "Progressive skeletonization: trimming more fat from a network at initialization",
sec. 4.1)."""

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

if TYPE_CHECKING:  # params.yaml is checked without torch
    from winnow.pruning.context import Context, Scores

ROUNDS = 10  # as in the authors' code
COMES_BACK = True  # a weight that an earlier round has pruned has a score


def force(
    context: "Context", *, batches: Annotated[int, Ge(1)] = 1, batch_size: Annotated[int, Ge(1)] = 128
) -> "Scores":
    """|w g|, with w the weight before the first round, and g the gradient of the mean loss of the network that the
    last round has left. So a pruned weight may return in a later round. With one round it is SNIP. ``snip`` in several
    rounds is the paper's iterative SNIP, in which no weight returns.

    Batch norm normalises by each batch's own statistics. The authors draw new batches in every round.
    """
    gradients = context.gradients(batches, batch_size)
    return {name: (weight * gradients[name]).abs() for name, weight in context.first_weights.items()}
