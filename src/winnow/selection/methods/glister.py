"""GLISTER (Killamsetty et al. 2021, "GLISTER: generalization based data subset selection for efficient and robust
learning", Alg. 1 with the one-step approximation), on the network's last layer.

Some public code never takes the step, so that it ranks by the first gradient alone; here the step is taken. Taking the
mean over the chosen images is this library's; the authors' code takes the sum.
"""

from math import ceil
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge

from winnow.selection.evidence import Chosen, Evidence
from winnow.selection.methods.ranked import top
from winnow.selection.vectors import Vectors, vectors

NEEDS_FEATURES = True
NEEDS_VALIDATION = True


def glister(
    evidence: Evidence,
    size: int,
    rng: np.random.Generator,
    *,
    epoch: int,
    learning_rate: Annotated[float, Ge(0)] = 0.1,
    rounds: Annotated[int, Ge(1)] = 15,
    step: Literal["mean", "sum"] = "mean",
) -> Chosen:
    """Take the images whose gradients lower the loss on the validation images most.

    An image's gain is the product of its gradient with the mean gradient of the validation images, both for the weights
    and the bias of the last layer after an epoch. The images of the highest gain are chosen in so many rounds. After
    each round the last layer takes a step along the gradients of all images chosen so far, of this learning rate, and
    the validation gradient is computed anew. step: along their mean, or their sum, which grows with the subset. With a
    learning rate of 0, or one round, all are chosen by the first gradient. Of equal gains the earlier row wins.

    The validation images choose the subset here, so results on them are no longer independent of it.

    Nothing is random. Rows are in the order of choice. Each round needs n x d x classes operations.

    Raises ValueError if features were not kept, or if there are no validation images.
    """
    every, held = vectors(evidence, epoch, "gradients"), evidence.held_out(epoch)
    if held.features is None:
        raise ValueError("needs the features of the validation images too")
    inputs = np.concatenate([np.ones((len(held.labels), 1)), held.features], axis=1, dtype=np.float64)
    logits = held.outputs.astype(np.float64)
    moved, rows = logits, np.zeros(0, np.int64)
    while len(rows) < size:
        found = gains(every, mean_gradient(moved, held.labels, inputs))
        found[rows] = -np.inf
        rows = np.concatenate([rows, top(found, min(ceil(size / rounds), size - len(rows)))])
        along = sum_of(every[rows]) / (len(rows) if step == "mean" else 1)
        moved = logits - learning_rate * (inputs @ along.T)
    return Chosen(rows)


def mean_gradient(logits: np.ndarray, labels: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """The mean gradient of the cross-entropy for the last layer's bias (first) and weights: float64 [classes, 1 + d].

    logits: [v, classes], each row up to a constant; inputs: [v, 1 + d], the features behind a 1.
    """
    errors = np.exp(logits - logits.max(axis=1, keepdims=True))
    errors /= errors.sum(axis=1, keepdims=True)
    errors[np.arange(len(labels)), labels] -= 1
    return np.asarray(errors.T @ inputs / len(labels))


def gains(every: Vectors, gradient: np.ndarray) -> np.ndarray:
    """The product of each gradient with one [classes, 1 + d]: float64 [n]."""
    assert every.left is not None
    return np.einsum("nk,nk->n", every.right @ gradient.T, every.left)


def sum_of(every: Vectors) -> np.ndarray:
    """The sum of gradients: float64 [classes, 1 + d]."""
    assert every.left is not None
    return np.asarray(every.left.T @ every.right)
