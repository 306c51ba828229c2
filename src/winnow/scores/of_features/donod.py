"""DONOD (Hu et al. 2025, "DONOD: efficient and generalizable instruction fine-tuning for LLMs via model-intrinsic
dataset pruning"), a filter of fine-tuning data, here on the last layer of a classifier.

Known from summaries of the paper, by which it takes the output layer. The direction of the two measures is unverified.
"""

import numpy as np

from winnow.scores.last_layer import LastLayer
from winnow.scores.of_outputs.el2n import error_vectors

STEP = 0.01  # of the step of gradient descent; a small one changes the norms nearly in proportion, and no ranking


def donod(layer: LastLayer) -> np.ndarray:
    """How near the image comes to the ideal of changing the last layer's weights least, [n], from 0 to 1.

    A step on the image alone has a change of the norm (DON) and a norm of the change (NOD). TOPSIS weighs the two, both
    to be small; the highest are kept. A wrong label that the network sees through has the largest NOD, but also the
    lowest DON, because the step makes the weights smaller: which counts for more differs from data to data.
    """
    return closeness(np.stack(changes(layer, STEP), axis=1))


def changes(layer: LastLayer, step: float) -> tuple[np.ndarray, np.ndarray]:
    """||W - step g|| - ||W|| and ||step g||, float64 [n] each: g is the gradient of an image's cross-entropy by the
    weight W, without the bias. No gradient is built: it is the outer product of the error p - y and the inputs."""
    errors = error_vectors(layer.log_probabilities, layer.labels)
    lengths = np.linalg.norm(layer.inputs.astype(np.float64), axis=1) * np.linalg.norm(errors, axis=1)
    # (p - y) sums to 0, so the constant by which the log softmax differs from the logits does not matter
    products = np.einsum("nk,nk->n", errors, layer.log_probabilities - layer.bias, dtype=np.float64)
    norm = float(np.linalg.norm(layer.weight.astype(np.float64)))
    squares = np.square(step * lengths) - 2 * step * products  # by which the squared norm changes
    after = np.sqrt(np.maximum(norm**2 + squares, 0))
    return squares / np.maximum(after + norm, np.finfo(float).tiny), step * lengths


def closeness(costs: np.ndarray) -> np.ndarray:
    """TOPSIS (Hwang and Yoon 1981) for costs, float [n, criteria], all to be small and of equal weight: the distance to
    the worst of all, as a share of the distances to the worst and to the best, [n]; 1 where there is no difference."""
    lengths = np.linalg.norm(costs, axis=0)
    scaled = costs / np.where(lengths > 0, lengths, 1)
    to_best = np.linalg.norm(scaled - scaled.min(axis=0), axis=1)
    to_worst = np.linalg.norm(scaled - scaled.max(axis=0), axis=1)
    both = to_best + to_worst
    return np.where(both > 0, to_worst / np.where(both > 0, both, 1), 1)
