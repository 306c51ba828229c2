"""SNIP (Lee, Ajanthan, Torr 2019, "SNIP: single-shot network pruning based on connection sensitivity", eq. 6)."""

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

if TYPE_CHECKING:  # params.yaml is checked without torch
    from winnow.pruning.context import Context, Scores


def snip(
    context: "Context", *, batches: Annotated[int, Ge(1)] = 1, batch_size: Annotated[int, Ge(1)] = 128
) -> "Scores":
    """|w g|, with g the gradient of the mean loss over ``batches`` batches of ``batch_size`` images.

    Batch norm normalises by each batch's own statistics, as in training. The paper takes one batch at the
    initialisation, and divides the scores by their sum, which does not change their order. In several ``rounds`` this
    is iterative SNIP (de Jorge et al. 2021).
    """
    gradients = context.gradients(batches, batch_size)
    return {name: (weight * gradients[name]).abs() for name, weight in context.weights.items()}
