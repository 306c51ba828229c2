"""A network's last layer: what goes in, what it does with it, and what comes out."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LastLayer:
    """inputs: float32 [n, d], the features of the images; weight, bias: float32 [classes, d] and [classes], which give
    the logits; log_probabilities: their log softmax, float32 [n, classes]; labels: int64 [n]."""

    inputs: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    log_probabilities: np.ndarray
    labels: np.ndarray

    def __getitem__(self, rows: np.ndarray | slice) -> "LastLayer":
        """Of these images."""
        return LastLayer(self.inputs[rows], self.weight, self.bias, self.log_probabilities[rows], self.labels[rows])


def directions(inputs: np.ndarray) -> np.ndarray:
    """The inputs at unit length, float32 [n, d]; 0 where they are 0."""
    lengths = np.linalg.norm(inputs, axis=1, keepdims=True)
    return inputs / np.maximum(lengths, np.finfo(np.float32).tiny)


def last_weights(
    tensors: dict[str, np.ndarray], inputs: np.ndarray, log_probabilities: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The weight [classes, d] and the bias [classes] of the layer that makes the outputs of the inputs, from all
    tensors of the network.

    Of several that have the right shape it is the one whose outputs are the nearest. Raises ValueError if there is
    none: the network's last linear layer does not give its logits.
    """
    from scipy.special import log_softmax

    shape = (log_probabilities.shape[1], inputs.shape[1])
    found = []
    for name, weight in tensors.items():
        if name.endswith("weight") and weight.shape == shape:
            bias = tensors.get(f"{name.removesuffix('weight')}bias", np.zeros(shape[0], np.float32))
            outputs = log_softmax(inputs[:100].astype(np.float64) @ weight.T + bias, axis=1)
            found.append((float(np.abs(outputs - log_probabilities[:100]).sum()), weight, bias))
    if not found:
        raise ValueError("the network's last linear layer does not give its logits")
    return min(found, key=lambda each: each[0])[1:]
