"""Beta-Rank (Homayounfar et al. 2023, "Beta-rank: a robust convolutional filter pruning method for imbalanced medical
image analysis", eq. 5)."""

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

if TYPE_CHECKING:  # params.yaml is checked without torch
    from winnow.pruning.context import Context, Scores


def beta_rank(
    context: "Context", *, batches: Annotated[int, Ge(1)] = 1, batch_size: Annotated[int, Ge(1)] = 128
) -> "Scores":
    """Every weight gets the score of its filter: the sum of the sizes of the filter's weights, times the standard
    deviation of its output over the images, divided by that of the inputs (``autograd.spreads.relative_spreads``).
    Each layer's scores are then moved and divided so that they run from 0 to 1; equal ones are all 1. The deviations
    are the mean over ``batches`` batches of ``batch_size`` images. Labels are not used. In evaluation mode.

    The indices of the paper's equation leave open which deviation is divided by which. The authors' code divides the
    output's by the input's, so this does too. The code takes the inputs' deviation over a range of channels and rows
    in place of rows and columns; here it is over the inputs that the filter meets. The form for linear layers is ours.
    Raises ValueError, naming the layer, for weights of layers other than two-dimensional convolutions and linear ones.
    """
    import torch

    from winnow.autograd.spreads import relative_spreads
    from winnow.pruning.filters import to_weights

    spread = context.mean_of_layers(relative_spreads, "beta_rank", batches, batch_size)
    scores = {}
    for name, weight in context.weights.items():
        filters = weight.flatten(1).norm(1, dim=1) * spread[name]
        low, high = filters.min(), filters.max()
        filters = (filters - low) / (high - low) if high > low else torch.ones_like(filters)
        scores[name] = to_weights(filters, weight)
    return scores
