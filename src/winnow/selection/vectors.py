"""Features or last-layer gradients of all images, and their scalar products, without building a gradient."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from winnow.selection.evidence import Evidence
from winnow.selection.geometry import points

Of = Literal["features", "gradients"]


@dataclass(frozen=True)
class Vectors:
    """n vectors, each the outer product of a row of ``left``, float64 [n, p], and one of ``right``, float64 [n, q]; the
    row of ``right`` alone if ``left`` is None."""

    left: np.ndarray | None
    right: np.ndarray

    def __len__(self) -> int:
        return len(self.right)

    def __getitem__(self, rows: np.ndarray) -> "Vectors":
        return Vectors(None if self.left is None else self.left[rows], self.right[rows])

    def products(self, others: "Vectors") -> np.ndarray:
        """The scalar products with other vectors: float64 [n, others]."""
        found = self.right @ others.right.T
        if self.left is not None and others.left is not None:
            found *= self.left @ others.left.T
        return found

    def norms(self) -> np.ndarray:
        """float64 [n]."""
        lengths = np.linalg.norm(self.right, axis=1)
        return lengths if self.left is None else lengths * np.linalg.norm(self.left, axis=1)

    def unit(self) -> "Vectors":
        """The same directions, of length 1. A vector of length 0 stays so: its cosine with every other is 0."""
        return Vectors(None if self.left is None else _unit(self.left), _unit(self.right))

    def sum_of_products(self) -> np.ndarray:
        """The sum of every vector's products with all of them: float64 [n], in time linear in n."""
        if self.left is None:
            return self.right @ self.right.sum(axis=0)
        return np.einsum("np,np->n", self.left @ (self.left.T @ self.right), self.right)


def vectors(evidence: Evidence, epoch: int, of: Of) -> Vectors:
    """What the images are compared by, after an epoch of one network: its features h, or the gradients of the loss for
    the weights and the bias of its last layer.

    A gradient is the outer product of p - y and (1, h), where p is the softmax and y the one-hot label. So the product
    of two is ((p - y) . (p' - y'))(1 + h . h').

    Raises ValueError if features or outputs were not kept, or if some are not finite.
    """
    features = points(evidence, epoch)
    if of == "features":
        return Vectors(None, features.astype(np.float64))
    errors = np.exp(evidence.outputs(epoch).astype(np.float64))
    broken = int((~np.isfinite(errors).all(axis=1)).sum())
    if broken:
        raise ValueError(f"the outputs of epoch {epoch} are not finite for {broken} of {len(errors)} images")
    errors[np.arange(len(errors)), evidence.labels] -= 1
    inputs = np.ones((len(features), features.shape[1] + 1))
    inputs[:, 1:] = features
    return Vectors(errors, inputs)


def _unit(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
