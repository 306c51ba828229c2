"""Influence and effort (Lin et al. 2024, "Data-efficient fine-tuning for LLM-based recommendation", DEALRec, sec. 3),
here on the last layer of a classifier."""

from collections.abc import Iterator

import numpy as np

from winnow.scores.last_layer import LastLayer
from winnow.scores.of_outputs.el2n import error_vectors

DAMPING = 0.01  # added to the Hessian's diagonal, as in the authors' code
EFFORT = 1.0  # its weight; the authors take 0.3 for one data set and 1.0 for two
EXACT = 1000  # weights up to which the Hessian is built
CHUNK = 10_000  # images


def influence_effort(layer: LastLayer) -> np.ndarray:
    """How far training on the image would lower the mean loss (influence), and how large its gradient is (effort), each
    from 0 to 1 over all images; their sum, [n].

    influence is g H^-1 m for the gradient g of an image, the mean m of all, and the Hessian H of the mean loss, damped,
    all over the last layer's weight and bias; effort is the norm of g. The paper then drops the top tenth and draws
    from strata; that is a policy, and not part of this score.
    """
    return scaled(influences(layer)) + EFFORT * scaled(efforts(layer))


def scaled(values: np.ndarray) -> np.ndarray:
    """From 0, the smallest, to 1, the largest; 0 if all are equal."""
    above = values - values.min()
    return above / (above.max() or 1)


def efforts(layer: LastLayer) -> np.ndarray:
    """The norm of each image's gradient by the last layer's weight and bias, float64 [n]."""
    errors = np.linalg.norm(error_vectors(layer.log_probabilities, layer.labels), axis=1)
    return errors * np.sqrt(1 + np.square(layer.inputs.astype(np.float64)).sum(axis=1))


def influences(layer: LastLayer, exact: int = EXACT) -> np.ndarray:
    """g H^-1 m of each image, float64 [n]. With more than ``exact`` weights and biases, H^-1 m is found by conjugate
    gradients, which take a pass over the inputs a step. Raises ValueError if these do not converge."""
    mean = sum(errors.T @ inputs for inputs, _, errors in _parts(layer)) / len(layer.labels)
    solved = (_solve if mean.size <= exact else _iterate)(layer, mean)
    return np.concatenate([((inputs @ solved.T) * errors).sum(axis=1) for inputs, _, errors in _parts(layer)])


def _parts(layer: LastLayer) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Of some images at a time: inputs and a 1 for the bias [b, d + 1], probabilities and errors [b, classes]."""
    for first in range(0, len(layer.labels), CHUNK):
        part = layer[first : first + CHUNK]
        inputs = np.column_stack([part.inputs.astype(np.float64), np.ones(len(part.labels))])
        yield (
            inputs,
            np.exp(part.log_probabilities.astype(np.float64)),
            error_vectors(part.log_probabilities, part.labels),
        )


def _solve(layer: LastLayer, mean: np.ndarray) -> np.ndarray:
    """H^-1 mean, [classes, d + 1], by building H."""
    from scipy.linalg import solve

    classes, width = mean.shape
    hessian = np.zeros((classes, width, classes, width))
    for inputs, probabilities, _ in _parts(layer):
        for k in range(classes):
            for other in range(classes):
                weights = probabilities[:, k] * ((k == other) - probabilities[:, other])
                hessian[k, :, other] += inputs.T @ (weights[:, None] * inputs)
    square = hessian.reshape(mean.size, mean.size) / len(layer.labels) + DAMPING * np.eye(mean.size)
    return np.asarray(solve(square, mean.ravel(), assume_a="pos")).reshape(mean.shape)


def _iterate(layer: LastLayer, mean: np.ndarray) -> np.ndarray:
    """H^-1 mean, [classes, d + 1], by conjugate gradients."""
    from scipy.sparse.linalg import LinearOperator, cg

    def product(vector: np.ndarray) -> np.ndarray:
        direction, total = vector.reshape(mean.shape), np.zeros(mean.shape)
        for inputs, probabilities, _ in _parts(layer):
            moved = inputs @ direction.T
            total += (probabilities * (moved - (probabilities * moved).sum(axis=1, keepdims=True))).T @ inputs
        return (total / len(layer.labels) + DAMPING * direction).ravel()

    hessian = LinearOperator((mean.size, mean.size), matvec=product, dtype=np.float64)
    found, steps = cg(hessian, mean.ravel(), rtol=1e-8, maxiter=10 * mean.size)
    if steps:
        raise ValueError(f"influence_effort: conjugate gradients do not converge in {steps} steps")
    return np.asarray(found).reshape(mean.shape)
