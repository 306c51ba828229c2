"""Random scores: weights are pruned in a random order."""

from typing import TYPE_CHECKING

import numpy as np

from winnow.streams import numpy_stream

if TYPE_CHECKING:  # params.yaml is checked without torch
    from winnow.pruning.context import Context, Scores


def random(context: "Context") -> "Scores":
    """Draws uniformly from 0 to 1.

    Every layer has its own stream, by its place in the alphabetical order of names. So the masks of one seed are nested
    if no layer's count rises.
    """
    scores = {}
    for i, name in enumerate(sorted(context.weights)):
        weight = context.weights[name]
        draws = numpy_stream(context.seed, "random_mask", i)
        order = draws.permutation(weight.numel())  # the first is kept longest
        scores[name] = np.empty(len(order))
        scores[name][order] = np.sort(draws.random(len(order)))[::-1]
        scores[name] = scores[name].reshape(tuple(weight.shape))
    return scores
