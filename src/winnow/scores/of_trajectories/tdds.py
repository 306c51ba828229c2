"""TDDS, temporal dual-depth scoring (Zhang et al. 2024, "Spanning training progress: temporal dual-depth scoring for
enhanced dataset pruning", sec. 3)."""

import numpy as np

from winnow.scores.when import FEWEST
from winnow.scores.windows import window

DECAY = 0.9  # of a moving mean: the newest window's share
INSIDE = 1e-8  # added inside each logarithm, as in the authors' code


def tdds(log_probabilities: np.ndarray) -> np.ndarray:
    """How unevenly the output moves: in a window of J outputs, the L2 distance of its J - 1 steps from their mean; over
    the windows the moving mean, in which the newest has the share 0.9 and each one before a tenth of the next.

    A step is sum over k of |p'_k log(p'_k / p_k)| from one output p to the next, p'. J is 10 from 20 outputs on;
    before, half of the outputs so far, but at least 3.

    This is a variant: the paper takes the outputs at the visits of every epoch. Visits keep no full softmax, so it
    takes here those at the scored epochs, of images without augmentation. Where these lie unevenly, a step is longer
    than another. The paper tunes the length of the training and J for each size of the subset.

    log_probabilities: log softmax [outputs, n, classes]. Returns float32 [outputs, n]; 0 before the third output.
    """
    steps = np.zeros((max(len(log_probabilities) - 1, 0), log_probabilities.shape[1]))
    for place, step in enumerate(steps):
        before, after = np.exp(log_probabilities[place : place + 2].astype(np.float64))
        step[:] = np.abs(after * (np.log(after + INSIDE) - np.log(before + INSIDE))).sum(axis=1)
    found = np.zeros(log_probabilities.shape[:2], np.float32)
    score, size = np.zeros(steps.shape[1]), 0
    for outputs in range(FEWEST, len(log_probabilities) + 1):
        size_now = window(outputs, FEWEST)
        first = outputs - size_now if size_now == size else 0
        score = score if size_now == size else np.zeros(steps.shape[1])
        size = size_now
        for begin in range(first, outputs - size + 1):
            inside = steps[begin : begin + size - 1]
            distance = np.sqrt(np.square(inside - inside.mean(axis=0)).sum(axis=0))
            score = DECAY * distance + (1 - DECAY) * score
        found[outputs - 1] = score
    return found
